import t from 'tap'
import type { StreamEnd } from './routes.js'
import { streamEnding } from './stream-end.js'
import type { StreamEnding } from './stream-end.js'

/** The end of a stream of which only so much is kept. */
const long = 'x'.repeat(4000)

const cases: ReadonlyArray<readonly [what: string, end: StreamEnd, text: string, ending: StreamEnding]> = [
  ['[DONE]', 'done', 'data: {}\n\ndata: [DONE]\n\n', 'whole'],
  ['[DONE] alone', 'done', 'data: [DONE]\n\n', 'whole'],
  ['[DONE] without the last blank line', 'done', 'data: {}\n\ndata: [DONE]', 'whole'],
  ['[DONE] with other line ends', 'done', 'data: {}\r\n\r\ndata: [DONE]\r\n\r\n', 'whole'],
  ['[DONE] that is not the last event', 'done', 'data: [DONE]\n\ndata: {}\n\n', 'missing'],
  ['[DONE] in a text', 'done', 'data: {"text":"data: [DONE]"}\n\n', 'missing'],
  ['half of [DONE]', 'done', 'data: {}\n\ndata: [DO', 'missing'],
  ['a ping after the last token', 'done', 'data: {}\n\n:\n\n', 'missing'],
  ['nothing at all', 'done', '', 'missing'],
  ['a transcription', 'done', 'data: {"type":"transcript.text.done","text":"a"}\n\n', 'whole'],
  ['stop', 'stop', 'data: {"content":"","stop":true}\n\n', 'whole'],
  ['stop with blanks', 'stop', 'data: {"content":"", "stop": true}\n\n', 'whole'],
  ['stop false', 'stop', 'data: {"content":"a","stop":false}\n\n', 'missing'],
  ['stop in a text', 'stop', 'data: {"content":"\\"stop\\":true","stop":false}\n\n', 'missing'],
  ['stop of another choice, which is not the last event', 'stop', 'data: {"index":0,"stop":true}\n\ndata: {"index":1,"stop":false}\n\n', 'missing'],
  ['stop far before the end of a long last event', 'stop', `${long}","truncated":false,"stop_type":"limit","timings":{}}\n\n`, 'whole'],
  ['a long event that is not the last', 'stop', `${long}","stop":false}\n\n`, 'missing'],
  ['message_stop', 'message_stop', 'event: message_stop\ndata: {"type":"message_stop"}\n\n', 'whole'],
  ['no message_stop', 'message_stop', 'event: message_delta\ndata: {"type":"message_delta"}\n\n', 'missing'],
  ...['completed', 'incomplete', 'failed'].map(how => [how, 'response.completed', `event: response.${how}\ndata: {"type":"response.${how}"}\n\n`, 'whole'] as const),
  ['a response without event names', 'response.completed', 'data: {"type":"response.completed"}\n\n', 'whole'],
  ['a long response.completed', 'response.completed', `${long}"}],"usage":{"input_tokens":1}}}\n\n`, 'whole'],
  ['a long event that is none', 'response.completed', `${long}"}]}}\n\n`, 'missing'],
  ['usage in an event that is no end', 'response.completed', 'event: response.created\ndata: {"usage":{}}\n\n', 'missing'],
  ['an error', 'done', 'data: {}\n\ndata: {"error":{"code":500}}\n\n', 'error'],
  ['an error by name', 'message_stop', 'event: error\ndata: {"code":500}\n\n', 'error'],
  ['an error in the dialect of older builds', 'stop', 'data: {}\n\nerror: {"code":500}\n\n', 'error'],
  ['an error in a text', 'stop', 'data: {"content":"data: {\\"error\\":","stop":false}\n\n', 'missing'],
  ['a text that looks like an error where it is cut', 'stop', `error: {${long}","stop_type":"eos"}\n\n`, 'whole'],
  ['an error that is followed by the end', 'done', 'data: {"error":{}}\n\ndata: [DONE]\n\n', 'whole']
]

for (const [what, end, text, ending] of cases) {
  t.test(`${end}: ${what}`, async t => { t.equal(streamEnding(end, text), ending) })
}
