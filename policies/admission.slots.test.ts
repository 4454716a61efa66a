import t from 'tap'
import { admission } from './admission.js'
import type { AdmissionOptions } from './admission-options.js'
import { createChain } from './chain.js'
import type { Call } from './contract.js'
import { heldUpstream, makeCall, makePort, settle } from './testing.js'

const IDLE = [0, 1, 2, 3].map(id => ({ id, busy: false }))

function setUp (options: AdmissionOptions = { slotChoice: 'by-length' }) {
  const port = makePort()
  port.slots = IDLE
  const upstream = heldUpstream()
  const policy = admission.create(options, port)
  const chain = createChain([{ name: admission.name, run: policy.run }], upstream.handler, port.clock)
  /** The `id_slot` that upstream got. */
  async function send (given: Partial<Call> = {}, json?: Readonly<Record<string, unknown>>) {
    const call = makeCall({ arrivedAtMs: port.clock.nowMs(), ...given }, json)
    chain(call).catch(() => undefined)
    await settle()
    const held = upstream.calls.at(-1) ?? t.fail('nothing reached upstream') as never
    return { call, held, slot: held.call.body.json['id_slot'] }
  }
  return { port, policy, upstream, chain, send }
}

t.test('llama-server chooses unless it is told otherwise, and then nothing is asked', async t => {
  for (const options of [{}, { slotChoice: 'server' }] as const) {
    const { port, send } = setUp(options)
    const { call, held, slot } = await send()
    t.equal(slot, undefined)
    t.equal(held.call.body, call.body)
    t.match(call.decisions, [{ verdict: 'pass' }])
    t.equal(port.slotsRead, 0)
    held.complete()
  }
})

t.test('each call is told its slot, and has it until upstream is free of it', async t => {
  const { send, port } = setUp()
  const first = await send()
  const second = await send()
  t.same([first.slot, second.slot], [0, 1])
  t.match(first.call.decisions, [{ verdict: 'change', facts: { slot: 0 } }])
  t.equal(first.call.body.json['id_slot'], undefined, 'the call itself keeps its body')
  t.equal(first.held.call.signal, first.call.signal)
  first.held.answer()
  first.held.end()
  t.equal((await send()).slot, 2, 'its answer is over, and its slot not')
  first.held.release()
  await settle()
  t.equal((await send()).slot, 0)
  t.equal(port.slotsRead, 1)
})

t.test('llama-server chooses where a route does not obey, where a client chose, and where a call takes several slots', async t => {
  const cases: ReadonlyArray<readonly [path: string, json: Readonly<Record<string, unknown>>, slot: unknown]> = [
    ['/v1/messages', { messages: [] }, undefined],
    ['/v1/embeddings', { input: 'a' }, undefined],
    ['/v1/chat/completions', { messages: [], n: 2 }, undefined],
    ['/v1/chat/completions', { messages: [], id_slot: 3 }, 3],
    ['/v1/chat/completions', { messages: [], id_slot: -1 }, 0],
    ['/v1/responses', { input: 'a' }, 0],
    ['/completion', { prompt: 'a' }, 0],
    ['/v1/completions', { prompt: ['a', 'b'] }, undefined]
  ]
  for (const [path, json, slot] of cases) {
    const { send } = setUp()
    const sent = await send({ path }, json)
    t.equal(sent.slot, slot, `${path} ${JSON.stringify(json)}`)
    sent.held.complete()
  }
})

t.test('a server that does not show its slots is not asked again and again, and chooses itself', async t => {
  const { port, send } = setUp()
  port.slots = undefined
  for (let call = 0; call < 3; call++) {
    const { slot, held } = await send()
    t.equal(slot, undefined)
    held.complete()
    await settle()
  }
  t.equal(port.slotsRead, 1)
})

t.test('while calls run the slots are looked at now and then; not when none do', async t => {
  const { port, send } = setUp()
  const { held } = await send()
  await port.clock.advance(9_000)
  t.equal(port.slotsRead, 3)
  port.slots = IDLE.map(slot => ({ ...slot, busy: slot.id === 2 || slot.id === 0 }))
  await port.clock.advance(4_000)
  t.equal((await send()).slot, undefined, 'somebody went past the gateway')
  held.complete()
  await settle()
})

t.test('a call waits for a reading when nothing runs, but not for long', async t => {
  const { port, upstream, chain, send } = setUp()
  const real = port.backend.readSlots
  let answer = (): void => undefined
  port.backend.readSlots = async () => {
    await new Promise<void>(resolve => { answer = resolve })
    return await real()
  }
  chain(makeCall()).catch(() => undefined)
  await settle()
  t.equal(upstream.calls.length, 0)
  await port.clock.advance(200)
  t.equal(upstream.calls[0]?.call.body.json['id_slot'], undefined)
  answer()
  await settle()
  t.equal((await send()).slot, undefined, 'the first one is somewhere')
})

t.test('a slot that was seen busy with a call of which it was not known where it is does not count as taken for ever', async t => {
  const { port, upstream, chain, send } = setUp()
  const real = port.backend.readSlots
  let answer = (): void => undefined
  port.backend.readSlots = async () => {
    await new Promise<void>(resolve => { answer = resolve })
    return await real()
  }
  chain(makeCall()).catch(() => undefined)
  await port.clock.advance(1_000)
  port.backend.readSlots = real
  port.slots = IDLE.map(slot => ({ ...slot, busy: slot.id === 0 }))
  answer()
  await port.clock.advance(2_500)
  upstream.calls[0]?.complete()
  await settle()
  port.slots = IDLE
  // Nothing else ran, and the last reading is two seconds old.
  t.equal((await send()).slot, 0)
})

t.test('a gateway that is shut down looks no more', async t => {
  const { port, policy, send } = setUp()
  const { held } = await send()
  t.ok(port.clock.timers > 0)
  policy.drain()
  t.equal(port.clock.timers, 0)
  held.complete()
  await settle()
})

t.test('by prefix: a conversation goes to its slot, and what was predicted of it is in the record', async t => {
  const { send, policy } = setUp({ slotChoice: 'prefix' })
  const timings = (cached: number, evaluated: number) => ({ cache_n: cached, prompt_n: evaluated, prompt_ms: 9, predicted_n: 5, predicted_ms: 5 })
  const talk = (letter: string, turns: number) => ({ messages: Array.from({ length: turns }, (_, turn) => ({ role: 'user', content: `${letter.repeat(200)}${turn}` })), stream: true })
  for (const [letter, turns, slot] of [['a', 1, 0], ['b', 1, 1], ['a', 2, 0], ['b', 2, 1], ['a', 3, 0]] as const) {
    const sent = await send({}, talk(letter, turns))
    t.equal(sent.slot, slot, `${letter} ${turns}`)
    if (turns > 1) t.match(sent.call.decisions, [{ facts: { slot, predictedCachedTokens: (turns - 1) * 100 } }])
    sent.held.complete({ timings: timings((turns - 1) * 100, 100) })
    await settle()
  }
  t.match(policy.gauges(), { slotChoiceOff: 0, cacheFoundShare: 1 })
})

t.test('by prefix: a call waits for the busy slot that has its prompt, but no longer than it would take to evaluate it', async t => {
  const { port, send, upstream } = setUp({ slotChoice: 'prefix' })
  const timings = { cache_n: 0, prompt_n: 1_000, prompt_ms: 10_000, predicted_n: 10, predicted_ms: 100 }
  const prompt = (text: string) => ({ prompt: text, stream: true, max_tokens: 10 })
  const document = 'd'.repeat(4_000)
  const first = await send({ path: '/completion' }, prompt(document))
  await port.clock.advance(10_000)
  first.call.progress?.firstByte?.(port.clock.nowMs())
  await port.clock.advance(100)
  first.held.complete({ timings })
  await settle()
  await send({ path: '/completion' }, prompt(`${document} one`))
  await send({ path: '/completion' }, prompt('something else'))
  t.same(upstream.calls.map(({ call }) => call.body.json['id_slot']), [0, 0, 1])
  await send({ path: '/completion' }, prompt(`${document} two`))
  t.equal(upstream.calls.length, 3, 'the slot is expected to be free sooner')
  await port.clock.advance(20_000)
  t.equal(upstream.calls.length, 4, 'it was not')
  t.not(upstream.calls[3]?.call.body.json['id_slot'], 0)
  for (const held of upstream.calls) held.complete()
  await settle()
})
