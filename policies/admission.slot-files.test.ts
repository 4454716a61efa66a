import t from 'tap'
import { admission } from './admission.js'
import { createChain } from './chain.js'
import { heldUpstream, makeCall, makePort, settle } from './testing.js'

/** One slot, and conversations of a thousand tokens, one for each character. */
function setUp (mode: 'on' | 'shadow' = 'on') {
  const port = makePort()
  port.props = { totalSlots: 1, slotContextTokens: 8_192, modelPath: 'm', buildInfo: 'b' }
  port.slots = [{ id: 0, busy: false }]
  const upstream = heldUpstream()
  const policy = admission.create({ slotChoice: 'prefix', slotFiles: { count: 4, minTokens: 500 } }, port)
  const chain = createChain([{ name: admission.name, run: policy.run, mode }], upstream.handler, port.clock)
  async function talk (text: string, cached: number) {
    const call = makeCall({ path: '/completion', arrivedAtMs: port.clock.nowMs() }, { prompt: text, stream: true })
    chain(call).catch(() => undefined)
    await settle()
    upstream.calls.at(-1)?.complete({ timings: { cache_n: cached, prompt_n: text.length - cached, prompt_ms: 1, predicted_n: 5, predicted_ms: 5 } })
    await settle()
    return call
  }
  return { port, policy, talk }
}

const [a, b] = ['a'.repeat(1_000), 'b'.repeat(1_000)]

t.test('a conversation that lost its slot gets its cache back', async t => {
  const { port, policy, talk } = setUp()
  await talk(a, 0)
  await talk(b, 0)
  const call = await talk(`${a} more`, 1_000)
  await talk(`${b} more`, 1_000)
  t.same(port.moved, ['save 0 weir-slot-0.bin', 'save 0 weir-slot-1.bin', 'restore 0 weir-slot-0.bin', 'save 0 weir-slot-0.bin', 'restore 0 weir-slot-1.bin'])
  t.match(call.decisions, [{ facts: { slot: 0, predictedCachedTokens: 1_000 } }])
  t.match(policy.gauges(), { slotSaves: 3, slotRestores: 2, slotExchangeFailures: 0, slotFilesOff: 0, cacheFoundShare: 1 })
})

t.test('who goes on in its slot causes nothing', async t => {
  const { port, talk } = setUp()
  await talk(a, 0)
  await talk(`${a} more`, 1_000)
  t.same(port.moved, [])
})

t.test('a server without --slot-save-path: calls are answered all the same, and after two failures it is off, with a warning that says why', async t => {
  const { port, policy, talk } = setUp()
  port.movesFail = new Error('501')
  for (const text of [a, b, a, b, a]) await talk(text, 0)
  t.equal(port.moved.length, 2)
  t.match(port.warnings.at(-1)?.message, /slotFiles is off until the gateway is started again .*--slot-save-path/)
  t.match(policy.gauges(), { slotFilesOff: 1, taken: 0 })
})

t.test('what could not be read counts as gone, and nothing is predicted of it', async t => {
  const { port, talk, policy } = setUp()
  await talk(a, 0)
  await talk(b, 0)
  port.movesFail = new Error('no such file')
  await talk(`${a} more`, 0)
  t.match(policy.gauges(), { slotChoiceOff: 0, slotExchangeFailures: 2 })
  t.notOk(Number(policy.gauges()['cacheFoundShare'] ?? 1) < 1)
})

t.test('in the shadow nothing is written or read', async t => {
  const { port, talk } = setUp('shadow')
  for (const text of [a, b, a]) await talk(text, 0)
  t.same(port.moved, [])
})
