import { Readable } from 'node:stream'
import t from 'tap'
import { admission } from './admission.js'
import { createChain } from './chain.js'
import { setUp } from './testing-admission.js'
import { makeCall, settle } from './testing.js'

t.test('a call says by its headers how urgent it is; its key bounds that', async t => {
  const { send, upstream, upstreamCall } = setUp({ slots: 1, priority: true })
  const headers = (priority: string): ReadonlyMap<string, string> => new Map([['x-weir-priority', priority]])
  send()
  const usual = send(makeCall({ headers: headers('3') }))
  const pretender = send(makeCall({ headers: headers('0'), grant: { weight: 1, bestPriority: 4, usualPriority: 5 } }))
  const urgent = send(makeCall({ headers: headers('0') }))
  for (let call = 0; call < 4; call++) {
    await settle()
    upstreamCall(call).complete()
  }
  await settle()
  t.same(upstream.calls.slice(1).map(held => held.call.id), [urgent, usual, pretender].map(({ call }) => call.id))
})

t.test('while one prompt is in prefill the next waits for its first byte', async t => {
  const { port, send, upstream, upstreamCall } = setUp({ slots: 2, prefillTokens: 10 })
  send()
  send()
  await settle()
  t.equal(upstream.calls.length, 1)
  upstreamCall(0).answer()
  await settle()
  t.equal(upstream.calls.length, 1, 'headers come when the slot starts')
  upstreamCall(0).call.progress?.firstByte?.(port.clock.nowMs())
  await settle()
  t.equal(upstream.calls.length, 2)
  for (const held of upstream.calls) held.complete()
})

const timings = { prompt_n: 92, prompt_ms: 1_000, predicted_n: 50, predicted_ms: 500, cache_n: 0 }

t.test('what was learned of this model is kept, and taken up by the next life', async t => {
  const first = setUp({ slots: 1 })
  const call = makeCall({ stream: false })
  first.send(call)
  await first.port.clock.advance(1_500)
  first.upstreamCall(0).complete({ timings })
  await settle()
  const kept = JSON.parse(JSON.stringify(first.port.kept('admission')))
  for (const [what, model, predicted] of [['the same model', kept.model, true], ['another one', 'other', false]] as const) {
    const next = setUp({ slots: 1 })
    next.port.remembered.set('admission', { ...kept, model })
    const sent = next.send(makeCall())
    await settle()
    t.equal((sent.call.decisions[0]?.facts['predictedTtftMs'] ?? 0) > 0, predicted, what)
    next.upstreamCall(0).complete()
  }
  const broken = setUp({ slots: 1 })
  broken.port.remembered.set('admission', { model: kept.model, costs: { prefill: 'much' } })
  broken.send()
  await settle()
  t.equal(broken.upstream.calls.length, 1, 'what makes no sense is not taken up')
})

t.test('an adaptive limit lets fewer run where that gives more tokens per second', async t => {
  const { port, policy, send, upstream } = setUp({ slots: 4, limit: 'adaptive', maxWaitMs: 600_000 })
  for (let call = 0; call < 12; call++) send()
  let served = 0
  for (let round = 0; round < 400 && Number(policy.gauges()['places']) > 2; round++) {
    await settle()
    const running = upstream.calls.slice(served)
    const tokensPerSecond = [80, 100, 60, 40][running.length - 1] ?? 40
    for (const held of running) held.call.progress?.firstByte?.(port.clock.nowMs())
    await port.clock.advance(50 * running.length / tokensPerSecond * 1_000)
    for (const held of running) held.complete({ timings })
    served += running.length
    running.forEach(() => { send() })
  }
  t.equal(policy.gauges()['places'], 2)
})

t.test('a stream that waits long is answered and told where it stands; the others wait in silence', async t => {
  const { port, policy, upstreamCall, upstream } = setUp({ slots: 1, noticeAfterMs: 1_000, noticeEveryMs: 2_000 })
  const chain = createChain([{ name: admission.name, run: policy.run }], upstream.handler, port.clock)
  const stream = makeCall()
  const plain = makeCall({}, { messages: [] })
  const answers: Array<Awaited<ReturnType<typeof chain>>> = []
  for (const call of [makeCall(), stream, plain]) chain(call).then(answer => { answers.push(answer) }, () => undefined)
  await port.clock.advance(3_500)
  t.equal(answers.length, 1, 'only the stream has an answer')
  const [early] = answers
  if (!(early?.body instanceof Readable)) return t.fail('it has a stream')
  let said = ''
  early.body.on('data', (chunk: Buffer) => { said += chunk.toString() })
  await settle()
  t.match(said, /^: queued position=1 eta=\d+s\n\n: queued position=1 eta=\d+s\n\n$/, 'after 1 s and 3 s')
  upstreamCall(0).complete()
  await settle()
  t.match(stream.decisions, [{ verdict: 'pass', reason: 'its turn', queueWaitMs: 3_500 }])
  upstreamCall(1).complete()
  await settle()
  t.match(await early.over, { how: 'complete' })
  upstreamCall(2).complete()
  await settle()
  t.equal(answers.length, 3)
  t.equal(port.clock.timers, 0)
})

t.test('a client that leaves after it was told, or waits too long, ends its stream', async t => {
  const { port, policy, upstream, upstreamCall } = setUp({ slots: 1, noticeAfterMs: 100, maxWaitMs: 5_000 })
  const chain = createChain([{ name: admission.name, run: policy.run }], upstream.handler, port.clock)
  chain(makeCall()).catch(() => undefined)
  const leaver = makeCall()
  const told = [chain(leaver), chain(makeCall())]
  await port.clock.advance(200)
  const [left, late] = await Promise.all(told)
  leaver.leave()
  t.match(await left?.over, { how: 'left' })
  if (!(late?.body instanceof Readable)) return t.fail('it has a stream')
  let error: unknown
  late.body.on('error', (why: Error) => { error = why })
  await port.clock.advance(5_000)
  t.match(await late.over, { how: 'cut', reason: 'queue-timeout' })
  t.match(error, { status: 503, reason: 'queue-timeout' })
  upstreamCall(0).complete()
  await settle()
  t.match(policy.gauges(), { taken: 0, queued: 0 })
  t.equal(port.clock.timers, 0)
})
