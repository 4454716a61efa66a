import t from 'tap'
import { admission } from './admission.js'
import type { AdmissionOptions } from './admission-options.js'
import { createChain } from './chain.js'
import type { Answer } from './contract.js'
import { heldUpstream, makeCall, makePort, settle, type TestCall } from './testing.js'

const policyName = admission.name

function setUp (options: AdmissionOptions = { slots: 2 }) {
  const port = makePort()
  const upstream = heldUpstream()
  const policy = admission.create(options, port)
  const chain = createChain([{ name: admission.name, run: policy.run }], upstream.handler, port.clock)
  /** Sends a call and notes how it ended. */
  function send (call: TestCall = makeCall({ arrivedAtMs: port.clock.nowMs() })) {
    const sent: { call: TestCall, answer?: Answer, error?: unknown } = { call }
    chain(call).then(answer => { sent.answer = answer }, error => { sent.error = error })
    return sent
  }
  const upstreamCall = (index: number) => upstream.calls[index] ?? t.fail(`call ${index} did not reach upstream`) as never
  return { port, upstream, policy, send, upstreamCall }
}

t.test('calls pass while there are places; a place is held until upstream let go', async t => {
  const { upstream, policy, send, upstreamCall } = setUp()
  const [first, second, third] = [send(), send(), send()]
  await settle()
  t.equal(upstream.calls.length, 2)
  t.match(policy.gauges(), { places: 2, taken: 2, queued: 1 })
  upstreamCall(0).answer()
  await settle()
  t.equal(first.answer?.status, 200, 'the answer goes on at its headers')
  upstreamCall(0).end()
  await settle()
  t.equal(upstream.calls.length, 2, 'over is not released')
  upstreamCall(0).release()
  await settle()
  t.equal(upstream.calls.length, 3)
  t.equal(upstream.calls[2]?.call.id, third.call.id)
  upstreamCall(1).complete()
  upstreamCall(2).complete()
  await settle()
  t.match([second.answer?.status, third.answer?.status], [200, 200])
  t.match(policy.gauges(), { taken: 0, queued: 0 })
})

t.test('the wait, the line and the places are in the record', async t => {
  const { port, send, upstreamCall } = setUp({ slots: 1 })
  const first = send()
  const second = send()
  await port.clock.advance(70)
  upstreamCall(0).complete()
  await settle()
  t.match(first.call.decisions, [{ verdict: 'pass', reason: 'place free', queueWaitMs: 0, facts: { queued: 0, places: 1, predictedWaitMs: 0 } }])
  t.match(second.call.decisions, [{ verdict: 'pass', reason: 'its turn', queueWaitMs: 70, workMs: 0, facts: { queued: 0, places: 1 } }])
  upstreamCall(1).complete()
})

t.test('a client that leaves the line frees its position at once and never reaches upstream', async t => {
  const { port, upstream, policy, send, upstreamCall } = setUp({ slots: 1 })
  send()
  const leaver = send()
  const stayer = send()
  leaver.call.leave()
  t.match(policy.gauges(), { taken: 1, queued: 1 })
  await settle()
  t.match(leaver.error, { message: 'client left' })
  t.match(leaver.call.decisions, [{ verdict: 'leave', steps: [] }])
  upstreamCall(0).complete()
  await settle()
  t.same(upstream.calls.map(held => held.call.id).slice(1), [stayer.call.id])
  upstreamCall(1).complete()
  await settle()
  t.equal(port.clock.timers, 0, 'no timer is left behind')
})

t.test('a client that leaves while its call runs does not free the place: upstream still works on it', async t => {
  const { upstream, policy, send, upstreamCall } = setUp({ slots: 1 })
  const leaver = send()
  send()
  await settle()
  leaver.call.leave()
  upstreamCall(0).fail('aborted', { unreleased: true })
  await settle()
  t.equal(leaver.error instanceof Error, true)
  t.equal(upstream.calls.length, 1)
  t.match(policy.gauges(), { taken: 1, queued: 1 })
  upstreamCall(0).release()
  await settle()
  t.equal(upstream.calls.length, 2)
  upstreamCall(1).complete()
})

t.test('a leave between the release, its grant and the start gives the place to the next', async t => {
  for (let microtasks = 0; microtasks < 12; microtasks++) {
    const { upstream, policy, send, upstreamCall } = setUp({ slots: 1 })
    send()
    const leaver = send()
    const stayer = send()
    await settle()
    upstreamCall(0).complete()
    for (let turn = 0; turn < microtasks; turn++) await Promise.resolve()
    const reachedUpstream = upstream.calls.length === 2
    leaver.call.leave()
    await settle()
    t.equal(upstream.calls[1]?.call.id, reachedUpstream ? leaver.call.id : stayer.call.id, `${microtasks} microtasks after the release`)
    for (const held of upstream.calls) held.complete()
    await settle()
    for (const held of upstream.calls) held.complete()
    await settle()
    t.equal(stayer.answer?.status, 200)
    t.match(policy.gauges(), { taken: 0, queued: 0 })
  }
})

t.test('a fault of upstream gives the place back', async t => {
  const { upstream, policy, send, upstreamCall } = setUp({ slots: 1 })
  const first = send()
  send()
  await settle()
  upstreamCall(0).fail('connection refused')
  await settle()
  t.match(first.error, { message: 'connection refused' })
  t.equal(upstream.calls.length, 2)
  upstreamCall(1).complete()
  await settle()
  t.match(policy.gauges(), { taken: 0, queued: 0 })
})

t.test('a call that is gone before it arrives does nothing', async t => {
  const { upstream, policy, send } = setUp()
  const call = makeCall()
  call.leave()
  const sent = send(call)
  await settle()
  t.match(sent.error, { message: 'client left' })
  t.equal(upstream.calls.length, 0)
  t.match(policy.gauges(), { taken: 0, queued: 0 })
})

t.test('after maxWaitMs in the line it is refused', async t => {
  const { port, upstream, policy, send } = setUp({ slots: 1, maxWaitMs: 500 })
  send()
  const late = send()
  await port.clock.advance(499)
  t.notOk(late.answer)
  await port.clock.advance(1)
  t.match(late.answer, { status: 503, reason: 'queue-timeout', headers: { 'x-weir-reason': 'queue-timeout', 'retry-after': /^\d+$/ } })
  t.match(late.call.decisions, [{ verdict: 'refuse', reason: 'queue-timeout', queueWaitMs: 500, workMs: 0 }])
  t.match(policy.gauges(), { taken: 1, queued: 0 })
  t.equal(upstream.calls.length, 1)
  upstream.calls[0]?.complete()
  await settle()
})

t.test('a full line refuses at arrival', async t => {
  const { send } = setUp({ slots: 1, maxQueued: 1 })
  send()
  send()
  const refused = send()
  await settle()
  t.match(refused.answer, { status: 429, reason: 'queue-full' })
  t.match(JSON.parse(String(refused.answer?.body)), { error: { code: 429, type: 'rate_limit_error', reason: 'queue-full', message: /1 calls wait/ } })
  t.match(refused.call.decisions, [{ verdict: 'refuse', facts: { queued: 1 } }])
})

t.test('auto takes the places from the backend, refuses while it loads, and follows a change', async t => {
  const { port, upstream, policy, send } = setUp({})
  port.props = undefined
  const early = send()
  await settle()
  t.match(early.answer, { status: 503, reason: 'loading', headers: { 'retry-after': '2' } })
  port.props = { totalSlots: 1, slotContextTokens: 1, modelPath: 'm', buildInfo: 'b' }
  send()
  send()
  await settle()
  t.equal(upstream.calls.length, 1)
  port.props = { ...port.props, totalSlots: 3 }
  send()
  await settle()
  t.equal(upstream.calls.length, 3)
  t.match(policy.gauges(), { places: 3, taken: 3, queued: 0 })
})

t.test('n answers take n places, and those behind do not overtake', async t => {
  const { upstream, policy, send, upstreamCall } = setUp({ slots: 3 })
  const json = { n: 3, messages: [] }
  send()
  send(makeCall({}, json))
  send()
  await settle()
  t.equal(upstream.calls.length, 1)
  upstreamCall(0).complete()
  await settle()
  t.equal(upstream.calls.length, 2)
  t.match(policy.gauges(), { taken: 3, queued: 1 })
  send()
  upstreamCall(1).complete()
  await settle()
  t.equal(upstream.calls.length, 4, 'one release of three places starts both that wait')
})

t.test('a release that is never confirmed is given back with a warning', async t => {
  const { port, upstream, policy, send, upstreamCall } = setUp({ slots: 1, releaseTimeoutMs: 200 })
  send()
  send()
  await settle()
  upstreamCall(0).answer()
  await port.clock.advance(1_000)
  t.equal(upstream.calls.length, 1, 'an answer that is not over may take its time')
  upstreamCall(0).end()
  await port.clock.advance(199)
  t.equal(upstream.calls.length, 1)
  await port.clock.advance(1)
  t.equal(upstream.calls.length, 2)
  t.match(port.warnings, [{ message: /did not confirm/ }])
  t.match(policy.gauges(), { unconfirmedReleases: 1 })
  upstreamCall(0).release()
  await settle()
  t.match(policy.gauges(), { taken: 1 }, 'a late confirmation gives nothing back twice')
})

t.test('draining refuses what waits and what comes; what runs ends', async t => {
  const { upstream, policy, send, upstreamCall } = setUp({ slots: 1 })
  const running = send()
  const waiting = send()
  await settle()
  policy.drain()
  const late = send()
  await settle()
  t.match(waiting.answer, { status: 503, reason: 'draining' })
  t.match(late.answer, { status: 503, reason: 'draining' })
  upstreamCall(0).complete()
  await settle()
  t.equal(running.answer?.status, 200)
  t.equal(upstream.calls.length, 1)
})

t.test('it learns from first bytes: with a limit, who cannot be in time is refused', async t => {
  const { port, send, upstream } = setUp({ slots: 1, ttftLimitMs: 1_000 })
  for (let round = 0; round < 8; round++) {
    send()
    await settle()
    await port.clock.advance(900)
    upstream.calls.at(-1)?.complete({ firstByteAtMs: port.clock.nowMs() - 100 })
    await settle()
  }
  const idle = send()
  const second = send()
  await settle()
  t.match(second.answer, { status: 429, reason: 'deadline' }, '900 ms until a place, 800 ms to the first byte')
  t.notOk(idle.answer)
  upstream.calls.at(-1)?.complete()
  await settle()
  t.equal(idle.answer?.status, 200)
})

t.test('the first token of an answer that is not streamed is known from its timings', async t => {
  const { port, send, upstream } = setUp({ slots: 1, ttftLimitMs: 1_000 })
  for (let round = 0; round < 8; round++) {
    send(makeCall({ arrivedAtMs: port.clock.nowMs() }, { messages: [] }))
    await settle()
    await port.clock.advance(900)
    upstream.calls.at(-1)?.complete({ firstByteAtMs: port.clock.nowMs(), timings: { prompt_n: 1, prompt_ms: 10, predicted_n: 1, predicted_ms: 890 } })
    await settle()
  }
  send()
  await settle()
  await port.clock.advance(1)
  const second = send()
  await settle()
  t.match(second.answer, { status: 429 }, 'the place comes back too late')
  upstream.calls.at(-1)?.complete()
  await settle()
})

t.test('what was learned of a model is forgotten when another one answers', async t => {
  const { port, send, upstream, policy } = setUp({ slots: 1 })
  const learn = async (): Promise<void> => {
    send(makeCall({ arrivedAtMs: port.clock.nowMs() }, { messages: [] }))
    await settle()
    await port.clock.advance(900)
    upstream.calls.at(-1)?.complete({ firstByteAtMs: port.clock.nowMs() - 400, timings: { prompt_n: 40, prompt_ms: 500, predicted_n: 16, predicted_ms: 400 } })
    await settle()
  }
  const learned = (): unknown => (port.kept(policyName) as { costs: { prefill: unknown[] } } | undefined)?.costs.prefill.length
  await learn()
  t.equal(learned(), 1)
  if (port.props === undefined) throw new Error('the port has props')
  port.props = { ...port.props, modelPath: '/models/other.gguf' }
  send()
  await settle()
  t.equal(learned(), 0)
  t.match(port.kept(policyName), { model: /other\.gguf/ })
  upstream.calls.at(-1)?.complete()
  await settle()
  t.match(policy.gauges(), { taken: 0 })
})

t.test('options are closed and described', async t => {
  const schema = admission.schema as { additionalProperties: boolean, properties: Record<string, { description?: string }> }
  t.equal(schema.additionalProperties, false)
  t.same(Object.keys(schema.properties).sort(), ['agingMs', 'fair', 'kvTokens', 'limit', 'maxQueued', 'maxWaitMs', 'noticeAfterMs', 'noticeEveryMs', 'order', 'preemptiblePrefill', 'prefillTokens', 'priority', 'releaseTimeoutMs', 'slotChoice', 'slots', 'ttftLimitMs'])
  for (const [name, option] of Object.entries(schema.properties)) t.ok(option.description, name)
})

t.test('the backend\'s hidden queue is a gauge', async t => {
  const { port, policy } = setUp()
  t.notOk('upstreamDeferred' in policy.gauges())
  port.load = { processing: 2, deferred: 5, atMs: 0 }
  t.match(policy.gauges(), { upstreamDeferred: 5 })
})
