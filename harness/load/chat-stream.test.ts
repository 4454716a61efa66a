import t from 'tap'
import { createChatStream, errorText } from './chat-stream.js'

const event = (json: unknown): string => `data: ${JSON.stringify(json)}\n\n`
const chunk = (delta: unknown): string => event({ choices: [{ delta }] })

t.test('the first chunk is the first with text: roles and empty text do not count', async t => {
  const stream = createChatStream()
  stream.feed(Buffer.from(chunk({ role: 'assistant', content: null })), 1)
  stream.feed(Buffer.from(chunk({ content: '' })), 2)
  stream.feed(Buffer.from(chunk({ content: ' a' })), 3)
  stream.feed(Buffer.from(chunk({ reasoning_content: 'b' })), 4)
  stream.feed(Buffer.from(chunk({}) + 'data: [DONE]\n\n'), 5)
  t.same(stream.chunkAtMs, [3, 4])
  t.equal(stream.done, true)
  t.equal(stream.error, undefined)
})

t.test('bytes may be cut anywhere, inside a character too', async t => {
  const bytes = Buffer.from(chunk({ content: 'żółć' }) + chunk({ content: '😀' }) + 'data: [DONE]\n\n')
  const stream = createChatStream()
  for (let at = 0; at < bytes.length; at++) stream.feed(bytes.subarray(at, at + 1), at)
  t.equal(stream.chunkAtMs.length, 2)
  t.equal(stream.done, true)
  t.equal(stream.error, undefined)
})

t.test('events that arrive together have one time', async t => {
  const stream = createChatStream()
  stream.feed(Buffer.from(chunk({ content: 'a' }) + chunk({ content: 'b' })), 7)
  t.same(stream.chunkAtMs, [7, 7])
})

t.test('usage and timings are kept from the last events', async t => {
  const stream = createChatStream()
  stream.feed(Buffer.from(event({ choices: [{ delta: {} }], timings: { prompt_ms: 1, predicted_ms: 2 } })), 1)
  stream.feed(Buffer.from(event({ choices: [], usage: { prompt_tokens: 40, completion_tokens: 16 }, timings: { prompt_ms: 11.5, predicted_ms: 200.25 } })), 2)
  t.match(stream, { promptTokens: 40, outputTokens: 16, promptMs: 11.5, predictedMs: 200.25 })
})

t.test('errors are seen in all the ways that servers write them', async t => {
  for (const [text, error] of [
    [event({ error: { code: 500, message: 'no memory', type: 'server_error' } }), 'server_error'],
    ['error: {"code":500,"message":"no memory","type":"server_error"}\n\n', 'server_error'],
    ['event: error\ndata: gone\n\n', 'gone'],
    ['data: {"choices":[\n\n', 'not JSON: {"choices":[']
  ] as const) {
    const stream = createChatStream()
    stream.feed(Buffer.from(text), 1)
    t.equal(stream.error, error)
  }
  const fine = createChatStream()
  fine.feed(Buffer.from(': comment\n\n' + event({ choices: [], error: null })), 1)
  t.equal(fine.error, undefined)
})

t.test('errorText prefers the type', async t => {
  t.equal(errorText('{"error":{"message":"m","type":"unavailable_error"}}'), 'unavailable_error')
  t.equal(errorText('{"error":{"message":"m"}}'), 'm')
  t.equal(errorText('<html>'), '<html>')
  t.equal(errorText(''), 'unnamed error')
})
