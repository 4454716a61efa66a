import t from 'tap'
import { admission } from './admission.js'
import { createChain } from './chain.js'
import type { Answer, Policy } from './contract.js'
import { refusal } from './answers.js'
import { heldUpstream, makeCall, makePort, settle, type TestCall } from './testing.js'

function setUp (policy: (port: ReturnType<typeof makePort>) => Policy) {
  const port = makePort()
  const upstream = heldUpstream()
  const chain = createChain([{ name: 'p', run: policy(port), mode: 'shadow' }], upstream.handler, port.clock)
  function send (call: TestCall = makeCall({ arrivedAtMs: port.clock.nowMs() })) {
    const sent: { call: TestCall, answer?: Answer, error?: unknown } = { call }
    chain(call).then(answer => { sent.answer = answer }, error => { sent.error = error })
    return sent
  }
  return { port, upstream, send, upstreamCall: (index: number) => upstream.calls[index] ?? t.fail(`call ${index} did not reach upstream`) as never }
}

t.test('what would be refused passes, and the record says what would have been', async t => {
  const { send, upstream, upstreamCall } = setUp(() => async () => refusal({ status: 429, type: 'rate_limit_error', reason: 'no', message: 'no', facts: { tokens: 7 } }))
  const sent = send()
  await settle()
  t.equal(upstream.calls.length, 1)
  t.match(sent.call.decisions, [{ policy: 'p', mode: 'shadow', verdict: 'refuse', reason: 'no', facts: { tokens: 7 } }])
  upstreamCall(0).complete()
  await settle()
  t.equal(sent.answer?.status, 200)
})

t.test('what it would change stays as it was', async t => {
  const { send, upstreamCall } = setUp(() => async (call, next) => {
    call.body = call.body.withJson({ max_tokens: 1 })
    call.need.maxTokens = 1
    return next(call, 'bounded')
  })
  const sent = send(makeCall({}, { messages: [], max_tokens: 99 }))
  await settle()
  t.match(sent.call.decisions, [{ mode: 'shadow', verdict: 'change', reason: 'bounded' }])
  t.match(upstreamCall(0).call.body.json, { max_tokens: 99 })
  t.equal(upstreamCall(0).call.need.maxTokens, 99)
  upstreamCall(0).complete()
})

t.test('a policy that throws, or never comes to an end, costs nobody anything', async t => {
  for (const policy of [async () => { throw new Error('broken') }, () => new Promise<Answer>(() => {})] as Policy[]) {
    const { send, upstreamCall } = setUp(() => policy)
    const sent = send()
    await settle()
    upstreamCall(0).complete()
    await settle()
    t.equal(sent.answer?.status, 200)
    t.match(sent.call.decisions, [{ mode: 'shadow' }])
  }
})

t.test('admission in the shadow: all run at once, and its own queue forms as it would have', async t => {
  const { port, send, upstream, upstreamCall } = setUp(port => admission.create({ slots: 1, maxWaitMs: 2_500 }, port).run)
  const calls = [send(), send(), send(), send()]
  await settle()
  t.equal(upstream.calls.length, 4, 'nobody waits')
  t.match(calls[1]?.call.decisions, [{ verdict: 'pass', reason: 'still waits' }])
  await port.clock.advance(1_000)
  for (const index of [0, 1, 2, 3]) upstreamCall(index).complete()
  await settle()
  t.match(calls[1]?.call.decisions, [{ verdict: 'pass', reason: 'its turn', queueWaitMs: 1_000 }])
  await port.clock.advance(1_000)
  t.match(calls[2]?.call.decisions, [{ verdict: 'pass', reason: 'its turn', queueWaitMs: 2_000 }], 'each takes the second that it really took, one after the other')
  await port.clock.advance(1_000)
  t.match(calls[3]?.call.decisions, [{ verdict: 'refuse', reason: 'queue-timeout' }])
  await port.clock.advance(60_000)
  t.equal(port.clock.timers, 0)
})

t.test('a client that leaves leaves the shadow queue, too; a fault of upstream is one there', async t => {
  const { send, upstreamCall } = setUp(port => admission.create({ slots: 1 }, port).run)
  const first = send()
  const leaver = send()
  await settle()
  leaver.call.leave()
  await settle()
  t.match(leaver.call.decisions, [{ mode: 'shadow', verdict: 'leave' }])
  upstreamCall(0).fail('gone')
  await settle()
  t.match(first.error, { message: 'gone' })
})
