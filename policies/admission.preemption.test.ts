import t from 'tap'
import { admission } from './admission.js'
import type { AdmissionOptions } from './admission-options.js'
import { createChain } from './chain.js'
import type { Call, Timings } from './contract.js'
import { heldUpstream, makeCall, makePort, settle, type HeldCall, type TestCall } from './testing.js'

const IDLE = [0, 1, 2, 3].map(id => ({ id, busy: false }))
const TOKENS = Array.from({ length: 150 }, (_, i) => 100 + i)
const LONG = { messages: [{ role: 'user', content: 'word '.repeat(150) }], stream: true }

/** Chunks of 64 tokens: before anything is known, and at 6 ms a token. */
function setUp (options: AdmissionOptions = { preemptiblePrefill: { chunkMs: 400, share: 0.5, maxPauseMs: 2_000 } }, mode: 'on' | 'shadow' = 'on') {
  const port = makePort()
  port.slots = IDLE
  port.promptTokens = TOKENS
  const upstream = heldUpstream()
  const policy = admission.create(options, port)
  const chain = createChain([{ name: admission.name, run: policy.run, mode }], upstream.handler, port.clock)
  async function send (json: Readonly<Record<string, unknown>> = LONG, given: Partial<Call> = {}): Promise<TestCall> {
    const call = makeCall({ arrivedAtMs: port.clock.nowMs(), ...given }, json)
    chain(call).catch(() => undefined)
    await settle()
    return call
  }
  /** Upstream took 6 ms for each token that was not cached. */
  async function evaluated (held: HeldCall | undefined, cached: number): Promise<void> {
    const prompt = held?.call.body.json['prompt']
    const tokens = Array.isArray(prompt) ? prompt.length - cached : TOKENS.length - cached
    await port.clock.advance(tokens * 6)
    held?.complete({ timings: timings(cached, tokens) })
    await settle()
  }
  const last = (): HeldCall | undefined => upstream.calls.at(-1)
  return { port, policy, upstream, send, evaluated, last }
}

function timings (cached: number, evaluated: number, predicted = 1): Timings {
  return { cache_n: cached, prompt_n: evaluated, prompt_ms: evaluated * 6, predicted_n: predicted, predicted_ms: 0 }
}

const lengths = (calls: readonly HeldCall[]): unknown[] => calls.map(({ call }) => Array.isArray(call.body.json['prompt']) ? call.body.json['prompt'].length : 'call')

t.test('a long prompt goes in chunks into the slot that its call holds, the call itself last; one decision with a step for each', async t => {
  const { port, policy, upstream, send, evaluated, last } = setUp()
  const call = await send()
  await evaluated(last(), 0)
  await evaluated(last(), 64)
  t.same(lengths(upstream.calls), [64, 128, 'call'])
  t.same(upstream.calls.map(({ call }) => call.body.json['id_slot']), [0, 0, 0])
  t.match(policy.gauges(), { taken: 1, feeding: 1, chunks: 2 })
  const own = upstream.calls[2]
  own?.answer()
  own?.call.progress?.firstByte?.(port.clock.nowMs() + 324)
  t.match(policy.gauges(), { feeding: 0 })
  own?.end({ timings: timings(128, 22, 5) })
  own?.release()
  await settle()
  t.match(policy.gauges(), { taken: 0, prefillOff: 0, missedCalls: 0 })
  t.match(call.decisions, [{
    verdict: 'change',
    reason: 'place free, prompt in chunks',
    facts: { chunks: 2, fedTokens: 128, pausedMs: 0, slot: 0 },
    steps: [{ reason: 'place free, prompt in chunks' }, { reason: 'chunk' }, { reason: 'rest of the prompt' }]
  }])
  t.equal(call.need.promptTokens, 150)
  t.match(port.kept('admission'), { costs: { prompts: { tokens: 150, evaluated: 150 } } }, 'what it cost is all of it')
})

t.test('while others decode, the next chunk leaves them their time; the clock alone lets it go then', async t => {
  const { port, upstream, send, evaluated, last } = setUp()
  await send({ messages: [], stream: true })
  const short = last()
  short?.answer()
  short?.call.progress?.firstByte?.(port.clock.nowMs())
  await send()
  t.same(lengths(upstream.calls), ['call', 64])
  await evaluated(last(), 0)
  t.equal(upstream.calls.length, 2)
  await port.clock.advance(380)
  t.equal(upstream.calls.length, 2)
  await port.clock.advance(10)
  t.same(lengths(upstream.calls), ['call', 64, 128], 'as long as the chunk before took: 64 tokens at 6 ms')
})

t.test('who leaves between two chunks gives the place back at once; during one, when that is over', async t => {
  const between = setUp()
  await between.send({ messages: [], stream: true })
  between.last()?.answer()
  between.last()?.call.progress?.firstByte?.(between.port.clock.nowMs())
  const paused = await between.send()
  await between.evaluated(between.last(), 0)
  t.match(between.policy.gauges(), { taken: 2 })
  paused.leave()
  await settle()
  t.match(between.policy.gauges(), { taken: 1, feeding: 0 })
  await between.port.clock.advance(10_000)
  t.equal(between.upstream.calls.length, 2, 'nothing more of it goes to upstream')
  t.match(paused.decisions, [{ verdict: 'leave', reason: 'client left' }])

  const during = setUp()
  const fed = await during.send()
  fed.leave()
  await settle()
  t.match(during.policy.gauges(), { taken: 1 })
  t.notOk(during.last()?.call.signal.aborted)
  await during.evaluated(during.last(), 0)
  t.match(during.policy.gauges(), { taken: 0, feeding: 0, unconfirmedReleases: 0 })
  t.equal(during.upstream.calls.length, 1)
  t.equal(during.upstream.active, 0)
})

t.test('one long prompt at a time; a short call behind the next one does not wait with it', async t => {
  const { policy, upstream, send, evaluated, last } = setUp()
  await send()
  await send()
  t.match(policy.gauges(), { taken: 1, queued: 1 })
  const short = await send({ messages: [], stream: true })
  t.equal(last()?.call.id, short.id)
  t.match(policy.gauges(), { taken: 2, queued: 1 })
  last()?.complete({ timings: timings(0, 10) })
  await settle()
  await evaluated(upstream.calls[0], 0)
  await evaluated(last(), 64)
  const own = last()
  own?.answer()
  own?.call.progress?.firstByte?.(1_900)
  await settle()
  t.match(policy.gauges(), { taken: 2, queued: 0 }, 'the lane is free with the first token')
})

t.test('long prompts that go whole, and why', async t => {
  const cases: ReadonlyArray<readonly [json: Record<string, unknown>, reason: string]> = [
    [{ ...LONG, cache_prompt: false }, 'place free, whole prompt: cache_prompt: false'],
    [{ ...LONG, n: 2 }, 'place free, whole prompt: several prompts'],
    [{ ...LONG, id_slot: 2 }, 'place free, whole prompt: id_slot of its own'],
    [{ messages: [] }, 'place free']
  ]
  for (const [json, reason] of cases) {
    const { upstream, send } = setUp()
    const call = await send(json)
    t.same(lengths(upstream.calls), ['call'])
    t.match(call.decisions, [{ reason, steps: [{ reason }] }])
  }
  const hidden = setUp()
  hidden.port.slots = undefined
  t.match((await hidden.send()).decisions, [{ reason: 'place free, whole prompt: no slot of its own' }])
  const single = setUp()
  single.port.props = { totalSlots: 1, slotContextTokens: 2_048, modelPath: 'm', buildInfo: 'b' }
  t.match((await single.send()).decisions, [{ reason: 'place free' }], 'with one slot nobody could go between')
  const off = setUp({ slotChoice: 'by-length' })
  t.match((await off.send()).decisions, [{ reason: 'place free' }])
})

t.test('a body that looked long and is not, when its tokens are known, goes as any other; who leaves meanwhile never waits', async t => {
  const { port, policy, upstream, send } = setUp()
  port.promptTokens = [1, 2, 3]
  t.match((await send()).decisions, [{ reason: 'place free' }])
  const call = makeCall({}, LONG)
  port.backend.promptTokens = async () => { call.leave(); return TOKENS }
  const { calls } = upstream
  const chain = createChain([{ name: admission.name, run: policy.run }], upstream.handler, port.clock)
  await t.rejects(chain(call), /client left/)
  t.equal(calls.length, 1)
  t.match(policy.gauges(), { taken: 1, queued: 0, feeding: 0 })
})

t.test('what upstream does not find in its cache again goes whole from there, in the same slot', async t => {
  const { upstream, send, evaluated, last, policy } = setUp()
  const call = await send()
  await evaluated(last(), 0)
  await evaluated(last(), 0)
  t.same(lengths(upstream.calls), [64, 128, 'call'])
  t.match(call.decisions, [{ steps: [{}, {}, { reason: 'whole prompt: not in the cache' }] }])
  t.match(policy.gauges(), { feeding: 0 })
  last()?.complete({ timings: timings(0, 150) })
  await settle()
  t.match(policy.gauges(), { missedCalls: 1, taken: 0 })
})

t.test('a chunk that upstream fails on is the answer of the call, and its place is given back', async t => {
  const { send, last, policy, upstream } = setUp()
  await send()
  last()?.answer(503)
  last()?.end({ how: 'fault' })
  last()?.release()
  await settle()
  t.match(policy.gauges(), { taken: 0, feeding: 0 })
  t.equal(upstream.calls.length, 1)
})

t.test('an answer that is not streamed is fed all the same, and its first byte is that of its own prompt', async t => {
  const { upstream, send, evaluated, last, policy } = setUp()
  await send({ ...LONG, stream: false })
  await evaluated(last(), 0)
  await evaluated(last(), 64)
  t.same(lengths(upstream.calls), [64, 128, 'call'])
  await evaluated(last(), 128)
  t.match(policy.gauges(), { taken: 0, feeding: 0 })
})

t.test('in shadow mode nothing is fed: the call goes on as it came, and the record says how many chunks it would have taken', async t => {
  const { upstream, send } = setUp(undefined, 'shadow')
  const call = await send()
  t.same(lengths(upstream.calls), ['call'])
  t.equal(upstream.calls[0]?.call.body, call.body)
  t.match(call.decisions, [{ mode: 'shadow', reason: 'place free, whole prompt: shadow mode', facts: { wouldTakeChunks: 3 } }])
})
