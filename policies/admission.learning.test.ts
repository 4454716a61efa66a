import t from 'tap'
import { admission } from './admission.js'
import { setUp } from './testing-admission.js'
import { makeCall, settle } from './testing.js'

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
  const learned = (): unknown => (port.kept(admission.name) as { costs: { prefill: unknown[] } } | undefined)?.costs.prefill.length
  await learn()
  t.equal(learned(), 1)
  if (port.props === undefined) throw new Error('the port has props')
  port.props = { ...port.props, modelPath: '/models/other.gguf' }
  send()
  await settle()
  t.equal(learned(), 0)
  t.match(port.kept(admission.name), { model: /other\.gguf/ })
  upstream.calls.at(-1)?.complete()
  await settle()
  t.match(policy.gauges(), { taken: 0 })
})
