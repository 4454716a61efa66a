import t, { type Test } from 'tap'
import { admission } from './admission.js'
import { refusal } from './answers.js'
import { batching } from './batching.js'
import type { BatchingOptions } from './batching-options.js'
import { createChain } from './chain.js'
import type { Answer } from './contract.js'
import type { NamedPolicy } from './decide.js'
import { heldUpstream, makeCall, makePort, settle, type HeldCall, type TestCall } from './testing.js'

interface Asked {
  readonly call: TestCall
  answer?: Answer
  error?: unknown
}

/** Batching in a chain in front of a held upstream; a first call keeps it busy, since nobody waits for others on an idle one. */
async function setUp (t: Test, options: BatchingOptions = { when: 'always' }, how: { mode?: 'on' | 'shadow', withAdmission?: true, inner?: NamedPolicy } = {}) {
  const port = makePort()
  const upstream = heldUpstream()
  const policy = batching.create(options, port)
  const inner: NamedPolicy[] = how.withAdmission === true ? [{ name: 'admission', run: admission.create({}, port).run }] : how.inner === undefined ? [] : [how.inner]
  const chain = createChain([{ name: 'batching', run: policy.run, mode: how.mode ?? 'on' }, ...inner], upstream.handler, port.clock)
  async function ask (json: Record<string, unknown>, given: Partial<TestCall> = {}): Promise<Asked> {
    const call = makeCall({ arrivedAtMs: port.clock.nowMs(), path: '/v1/embeddings', route: 'slot-bound', ...given }, json)
    const asked: Asked = { call }
    chain(call).then(answer => { asked.answer = answer }, error => { asked.error = error })
    await settle()
    return asked
  }
  const at = (index: number): HeldCall => {
    const held = upstream.calls[index]
    if (held === undefined) throw new Error(`call ${index} did not reach upstream`)
    return held
  }
  const busy = await ask({ input: 'busy' })
  t.equal(upstream.calls.length, 1)
  return { port, upstream, policy, ask, at, busy, window: () => port.clock.advance(10) }
}

/** As llama-server answers: one special token for each input, and a vector that says which word it is of. */
function embed (held: HeldCall): void {
  const input: unknown = held.call.body.json['input']
  const texts: unknown[] = Array.isArray(input) ? input : [input]
  const tokens = texts.reduce<number>((sum, text) => sum + 1 + String(text).split(' ').length, 0)
  held.answer(200, JSON.stringify({ model: 'm', object: 'list', usage: { prompt_tokens: tokens, total_tokens: tokens }, data: texts.map((text, index) => ({ embedding: [String(text).length], index, object: 'embedding' })) }))
  held.end()
  held.release()
}

const told = ({ answer }: Asked): unknown => answer === undefined ? undefined : JSON.parse(answer.body.toString())
const alone = (...texts: string[]): unknown => {
  const tokens = texts.reduce((sum, text) => sum + 1 + text.split(' ').length, 0)
  return { model: 'm', object: 'list', usage: { prompt_tokens: tokens, total_tokens: tokens }, data: texts.map((text, index) => ({ embedding: [text.length], index, object: 'embedding' })) }
}
const decision = ({ call }: Asked) => call.decisions[0]

t.test('calls of one window are one call upstream, and each gets what it would have got alone', async t => {
  const { ask, at, upstream, window } = await setUp(t)
  const asked = [await ask({ input: 'a' }), await ask({ input: ['bb b', 'ccc'] }), await ask({ input: 'dddd' })]
  t.equal(upstream.calls.length, 1, 'they wait')
  await window()
  t.equal(upstream.calls.length, 2)
  t.same(at(1).call.body.json, { input: ['a', 'bb b', 'ccc', 'dddd'] })
  t.equal(at(1).call.need.places, 2, 'half of the slots')
  embed(at(1))
  await settle()
  t.same(asked.map(told), [alone('a'), alone('bb b', 'ccc'), alone('dddd')])
  t.match(asked.map(decision), [{ verdict: 'change', facts: { batchCalls: 3, batchItems: 4, batchWaitMs: 10 } }, { verdict: 'follow', follows: asked[0]?.call.id }, { verdict: 'follow', facts: { batchItems: 4 } }])
  const outcome = await asked[2]?.answer?.over
  t.equal(outcome?.bytes, asked[2]?.answer?.body instanceof Buffer ? asked[2].answer.body.length : NaN)
})

t.test('nobody waits on an idle server, nor longer than something else is there', async t => {
  const { ask, at, upstream, busy } = await setUp(t)
  t.match(decision(busy), { verdict: 'pass', reason: 'nothing else is at upstream' })
  const waiting = await ask({ input: 'a' })
  embed(at(0))
  await settle()
  t.equal(upstream.calls.length, 2, 'before its window is over')
  t.match(decision(waiting), { reason: 'nobody came in its window', facts: { batchWaitMs: 0 } })
  t.equal(at(1).call.body, waiting.call.body, 'as it came')
  embed(at(1))
  await settle()
  t.same(told(waiting), alone('a'))
})

t.test('bounds: inputs and tokens', async t => {
  const { ask, at, upstream } = await setUp(t, { when: 'always', maxItems: 3, maxTokens: 20 })
  await ask({ input: ['a', 'b'] })
  await ask({ input: 'c' })
  t.same(at(1).call.body.json, { input: ['a', 'b', 'c'] }, 'full: it goes at once')
  await ask({ input: 'x'.repeat(55) })
  await ask({ input: 'y'.repeat(55) })
  t.same(at(2).call.body.json, { input: 'x'.repeat(55) }, 'what would be too much begins the next one')
  await ask({ input: ['a', 'b', 'c'] })
  t.match(upstream.calls.length, 4)
  t.same(at(3).call.body.json, { input: ['a', 'b', 'c'] }, 'enough by itself')
})

t.test('others are not mixed in', async t => {
  const { ask, at, upstream, window } = await setUp(t)
  await ask({ input: 'a' })
  await ask({ input: 'b' }, { caller: 'other' })
  await ask({ input: 'c', encoding_format: 'base64' })
  await ask({ input: 'd' }, { path: '/embeddings' })
  await window()
  t.equal(upstream.calls.length, 5)
  t.same([1, 2, 3, 4].map(index => at(index).call.body.json['input']), ['a', 'b', 'c', 'd'])
  await ask({ input: 'e' })
  const urgent = await ask({ input: 'f' }, { headers: new Map([['content-type', 'application/json'], ['x-weir-priority', '0']]) })
  t.equal(upstream.calls.length, 6, 'who is more urgent does not go in the name of one who is less')
  await window()
  t.equal(at(6).call.id, urgent.call.id)
})

t.test('one bad input fails alone', async t => {
  for (const status of [400, 500]) {
    const { ask, at, upstream, window } = await setUp(t)
    const asked = [await ask({ input: 'a' }), await ask({ input: 'bad' }), await ask({ input: 'c' })]
    await window()
    at(1).answer(status, '{"error":{}}')
    at(1).end()
    at(1).release()
    await settle()
    t.equal(upstream.calls.length, 5, 'each asks for itself')
    for (const held of upstream.calls.slice(2)) {
      if (held.call.body.json['input'] !== 'bad') embed(held)
      else held.answer(status, '{"error":{"bad":1}}')
    }
    await settle()
    t.same(asked.map(told), [alone('a'), { error: { bad: 1 } }, alone('c')])
    t.match(decision(asked[1] ?? asked[0]!), { facts: { askedAgain: 1 } })
  }
})

t.test('a refusal further in is everybody\'s: nobody asks again what was just refused', async t => {
  let full = false
  const { ask, upstream, window } = await setUp(t, { when: 'always' }, {
    inner: { name: 'inner', run: async (call, next) => full ? refusal({ status: 429, type: 'rate_limit_error', reason: 'deadline', message: 'too late', retryAfterSeconds: 3 }) : await next(call, '') }
  })
  full = true
  const asked = [await ask({ input: 'a' }), await ask({ input: 'b' })]
  await window()
  t.equal(upstream.calls.length, 1)
  t.match(asked.map(({ answer }) => answer), [{ status: 429, reason: 'deadline', headers: { 'retry-after': '3' } }, { status: 429, reason: 'deadline', headers: { 'retry-after': '3' } }])
  t.match(asked.map(decision), [{ verdict: 'change' }, { verdict: 'refuse', reason: 'deadline' }])
})

t.test('upstream lost, or an answer that cannot be divided: each asks for itself', async t => {
  const { ask, at, upstream, window, port } = await setUp(t)
  const lost = [await ask({ input: 'a' }), await ask({ input: 'b' })]
  await window()
  at(1).fail('reset')
  await settle()
  t.equal(upstream.calls.length, 4)
  upstream.calls.slice(2).forEach(embed)
  await settle()
  t.same(lost.map(told), [alone('a'), alone('b')])
  port.backend.countTexts = async () => [5, 5]
  const odd = [await ask({ input: 'a' }), await ask({ input: 'b' })]
  await window()
  embed(at(4))
  await settle()
  upstream.calls.slice(5).forEach(embed)
  await settle()
  t.same(odd.map(told), [alone('a'), alone('b')], 'the sum is not what was counted')
})

t.test('who leaves does not hurt the others; upstream ends when the last one left', async t => {
  const { ask, at, window } = await setUp(t)
  const asked = [await ask({ input: 'a' }), await ask({ input: 'b' }), await ask({ input: 'c' })]
  asked[1]?.call.leave()
  await window()
  t.same(at(1).call.body.json, { input: ['a', 'c'] }, 'who left before it went is not in it')
  asked[0]?.call.leave()
  await settle()
  t.notOk(at(1).call.signal.aborted)
  embed(at(1))
  await settle()
  t.same(told(asked[2]!), alone('c'))
  t.ok(asked[0]?.error)
  const both = [await ask({ input: 'a' }), await ask({ input: 'b' })]
  await window()
  for (const { call } of both) call.leave()
  await settle()
  t.ok(at(2).call.signal.aborted)
  at(2).fail('left')
  await settle()
  t.same(both.map(({ call }) => call.decisions.at(-1)?.verdict), ['leave', 'leave'])
})

t.test('the first one leaves before it went: the others start again', async t => {
  const { ask, at, upstream, window } = await setUp(t)
  const [first, second, third] = [await ask({ input: 'a' }), await ask({ input: 'b' }), await ask({ input: 'c' })]
  first?.call.leave()
  await settle()
  t.match(decision(first!), { verdict: 'leave' })
  await window()
  t.equal(upstream.calls.length, 2)
  t.same(at(1).call.body.json, { input: ['b', 'c'] })
  embed(at(1))
  await settle()
  t.same([second, third].map(asked => told(asked!)), [alone('b'), alone('c')])
})

t.test('only where a gain was learned; an input that is nothing for it passes', async t => {
  const { ask, at, upstream, window } = await setUp(t, {})
  const [first, second] = [await ask({ input: 'a' }), await ask({ input: 'b' })]
  await window()
  t.equal(upstream.calls.length, 2, 'once, to learn what it costs')
  t.match(decision(first!), { reason: 'to learn what it costs' })
  embed(at(1))
  await settle()
  t.same(told(second!), alone('b'))
  await ask({ input: 'a' })
  await ask({ input: 'long '.repeat(20) })
  await ask({ input: 'b' })
  await window()
  t.same(upstream.calls.slice(2).map(({ call }) => Array.isArray(call.body.json['input']) ? call.body.json['input'].length : 1).sort(), [1, 2], 'short ones do not take a long one with them')
  const chat = await ask({ messages: [] }, { path: '/v1/chat/completions' })
  t.match(decision(chat), { verdict: 'pass', reason: 'nothing that can be joined' })
})

t.test('one that nobody joined is of the joined way: both are measured though it happens often', async t => {
  const { ask, at, window } = await setUp(t, {})
  const asked: Asked[] = []
  for (let call = 0; call < 7 * 32; call++) {
    asked.push(await ask({ input: 'a' }))
    await window()
    // Two others are there whenever one is over.
    if (call >= 2) embed(at(call - 2))
    await settle()
  }
  t.equal(decision(asked[0]!)?.reason, 'nobody came in its window')
  t.type(decision(asked.at(-1)!)?.facts['predictedGain'], 'number')
})

t.test('a joined call has half of the places, from admission: while it is answered another is under way', async t => {
  const { ask, at, upstream, window } = await setUp(t, { when: 'always' }, { withAdmission: true })
  const six = async (): Promise<Asked[]> => {
    const asked = await Promise.all(Array.from({ length: 6 }, () => ask({ input: 'a' })))
    await window()
    return asked
  }
  const asked = await six()
  t.equal(upstream.calls.length, 2, 'one alone, and six that want two places')
  asked.push(...await six())
  t.equal(upstream.calls.length, 2, 'three of four places are taken')
  embed(at(0))
  await settle()
  t.equal(upstream.calls.length, 3, 'two joined calls')
  embed(at(1))
  embed(at(2))
  await settle()
  t.same(asked.map(told), asked.map(() => alone('a')))
  t.same(asked.map(({ call }) => call.decisions.length), [2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1])
})

t.test('when all but one are answered, what waits goes: two at a time', async t => {
  const { ask, at, upstream, window } = await setUp(t)
  await ask({ input: 'a' })
  await window()
  await ask({ input: 'b' })
  await ask({ input: 'c' })
  t.equal(upstream.calls.length, 2, 'they wait beside two')
  embed(at(0))
  await settle()
  t.equal(upstream.calls.length, 3, 'and no longer')
  t.same(at(2).call.body.json, { input: ['b', 'c'] })
})

t.test('in shadow it says what would have gone together, and nothing waits', async t => {
  const { ask, at, upstream, window, policy } = await setUp(t, {}, { mode: 'shadow' })
  const asked = [await ask({ input: 'a' }), await ask({ input: 'b' })]
  t.equal(upstream.calls.length, 3)
  await window()
  upstream.calls.forEach(embed)
  await window()
  t.same(asked.map(told), [alone('a'), alone('b')])
  t.match(asked.map(decision), [{ mode: 'shadow', verdict: 'change', facts: { batchCalls: 2 } }, { mode: 'shadow', verdict: 'follow' }])
  t.equal(at(1).call.body, asked[0]?.call.body)
  t.match(policy.gauges(), { batches: 1, joinedUpToTokens: 0 })
})

t.test('draining: what waits goes now', async t => {
  const { ask, upstream, policy } = await setUp(t)
  await ask({ input: 'a' })
  await ask({ input: 'b' })
  policy.drain()
  await settle()
  t.equal(upstream.calls.length, 2)
})
