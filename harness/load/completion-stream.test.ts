import t from 'tap'
import { createCompletionStream } from './completion-stream.js'

const event = (json: unknown): string => `data: ${JSON.stringify(json)}\n\n`
const token = (content: string): string => event({ index: 0, content, tokens: [5], stop: false, id_slot: -1, tokens_predicted: 1, tokens_evaluated: 9 })
const last = event({ index: 0, content: '', tokens: [], stop: true, tokens_predicted: 3, tokens_evaluated: 9, timings: { cache_n: 4, prompt_ms: 4.5, predicted_ms: 20.25 }, generation_settings: { stop: [] } })

t.test('one stamp for each event with a token, none for the last, whose figures are read', async t => {
  const stream = createCompletionStream()
  stream.feed(Buffer.from(token(' a')), 1)
  stream.feed(Buffer.from(': ping\n\n'), 2)
  stream.feed(Buffer.from(token(' b') + token('')), 3)
  t.equal(stream.done, false)
  stream.feed(Buffer.from(last), 4)
  t.same(stream.chunkAtMs, [1, 3, 3])
  t.match(stream, { done: true, outputTokens: 3, promptTokens: 9, cachedTokens: 4, promptMs: 4.5, predictedMs: 20.25 })
  t.equal(stream.error, undefined)
})

t.test('bytes may be cut anywhere: an event counts when its last byte came', async t => {
  const bytes = Buffer.from(token('żółć "stop":true') + token('😀') + last)
  const stream = createCompletionStream()
  for (let at = 0; at < bytes.length; at++) stream.feed(bytes.subarray(at, at + 1), at)
  t.same(stream.chunkAtMs, [Buffer.byteLength(token('żółć "stop":true')) - 1, Buffer.byteLength(token('żółć "stop":true') + token('😀')) - 1])
  t.equal(stream.done, true)
})

t.test('errors in either form', async t => {
  for (const text of ['data: {"error":{"code":500,"message":"m","type":"server_error"}}\n\n', 'error: {"code":500,"message":"m","type":"server_error"}\n\n']) {
    const stream = createCompletionStream()
    stream.feed(Buffer.from(text), 1)
    t.equal(stream.error, 'server_error')
    t.same(stream.chunkAtMs, [])
  }
  const broken = createCompletionStream()
  broken.feed(Buffer.from('data: {"stop":true,\n\n'), 1)
  t.match(broken.error, /^not JSON/)
})
