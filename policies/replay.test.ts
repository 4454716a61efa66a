import t from 'tap'
import { replay, templateOf } from './replay.js'

const id = 'chatcmpl-TnpSjQLUvetMuIUCzjc4BmeRjLQDvSAO'
const event = (delta: object): string => `data: ${JSON.stringify({ choices: [{ delta }], created: 1795568116, id, object: 'chat.completion.chunk' })}\n\n`
const text = 'says \\"id\\": ' + id + ' and "created":1795568116 é 😀'

t.test('a stream again: the same events with one new id and later times', async t => {
  const body = Buffer.from(event({ role: 'assistant' }) + event({ content: text }) + 'data: [DONE]\n\n')
  const again = replay(templateOf(body, true), 2_400).toString()
  const events = again.split('\n\n').slice(0, 2).map(part => JSON.parse(part.slice(6)) as { id: string, created: number, choices: [{ delta: { content?: string } }] })
  t.match(events[0]?.id, /^chatcmpl-[0-9a-f]{32}$/)
  t.not(events[0]?.id, id)
  t.equal(events[1]?.id, events[0]?.id)
  t.same(events.map(({ created }) => created), [1795568118, 1795568118])
  t.equal(events[1]?.choices[0].delta.content, text, 'generated text keeps what looks like them')
  t.ok(again.endsWith('data: [DONE]\n\n'))
  t.not(replay(templateOf(body, true), 0).toString(), replay(templateOf(body, true), 0).toString())
})

t.test('every dialect', async t => {
  const cases: ReadonlyArray<readonly [body: string, again: RegExp]> = [
    [`{"choices":[],"created":100,"model":"m","id":"${id}","timings":{"prompt_n":1}}`, /^\{"choices":\[\],"created":105,"model":"m","id":"chatcmpl-[0-9a-f]{32}","timings":\{"prompt_n":1\}\}$/],
    ['{"completed_at":101,"created_at":100,"id":"resp_rwz6","output":[{"id":"msg_lupD"}]}', /^\{"completed_at":106,"created_at":105,"id":"resp_[0-9a-f]{4}","output":\[\{"id":"msg_lupD"\}\]\}$/],
    ['event: message_start\ndata: {"type":"message_start","message":{"id":"msg_TamT"}}\n\n', /"message":\{"id":"msg_(?!TamT)[0-9a-f]{4}"\}/],
    ['{"content":"x","id_slot":0,"stop":true}', /^\{"content":"x","id_slot":0,"stop":true\}$/],
    ['{"data":[{"embedding":[1,2]}]}', /^\{"data":\[\{"embedding":\[1,2\]\}\]\}$/],
    ['{"choices":[{"message":{"tool_calls":[{"id":"aB3"}]}}],"id":"chatcmpl-x1"}', /"tool_calls":\[\{"id":"aB3"\}\]\}\}\],"id":"chatcmpl-[0-9a-f]{2}"/]
  ]
  for (const [body, again] of cases) t.match(replay(templateOf(Buffer.from(body), false), 5_000).toString(), again, body)
})

t.test('comments of a stream are not part of the answer', async t => {
  const body = Buffer.from(': queued position=1 eta=2s\n\ndata: {"a":1}\n\n:\n\ndata: {"content":": queued"}\n\n')
  t.equal(replay(templateOf(body, true), 0).toString(), 'data: {"a":1}\n\ndata: {"content":": queued"}\n\n')
  t.equal(replay(templateOf(body, false), 0).toString(), body.toString())
})

t.test('bytes of all kinds come back as they were', async t => {
  const body = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
  t.same(replay(templateOf(body, false), 0), body)
})
