import t from 'tap'
import { outputField } from '../policies/need.js'
import { makeBody } from '../policies/testing.js'
import { LastToken } from './last-token.js'
import type { StreamEnd } from './routes.js'

interface Given {
  readonly maxTokens?: number
  readonly places?: number
  readonly json?: Readonly<Record<string, unknown>>
}

const paths: Readonly<Record<StreamEnd, string>> = { done: '/v1/chat/completions', stop: '/completion', message_stop: '/v1/messages', 'response.completed': '/v1/responses' }

function watching (end: StreamEnd, { maxTokens = 3, places = 1, json = {} }: Given = {}): LastToken | undefined {
  const path = paths[end]
  return LastToken.of({ path, need: { maxTokens, places }, body: makeBody({ [outputField(path)]: maxTokens, ...json }) }, end)
}

/** After which of these chunks it says so. */
function toldAfter (watch: LastToken | undefined, chunks: readonly string[]): number[] {
  return chunks.flatMap((chunk, index) => watch?.add(Buffer.from(chunk)) === true ? [index] : [])
}

/** Events as llama-server 0.7.0 sent them, shortened: what comes before the first token, one for each of three tokens, what comes after. */
const streams: ReadonlyArray<readonly [what: string, end: StreamEnd, before: readonly string[], token: (text: string) => string, after: readonly string[]]> = [
  ['chat', 'done', ['{"choices":[{"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}}]}'], text => `{"choices":[{"finish_reason":null,"index":0,"delta":{"content":${text}}}]}`, ['{"choices":[{"finish_reason":"length","index":0,"delta":{}}]}', '[DONE]']],
  ['chat that thinks', 'done', [], text => `{"choices":[{"index":0,"delta":{"reasoning_content":${text}}}]}`, ['[DONE]']],
  ['completions of OpenAI', 'done', [], text => `{"choices":[{"text":${text},"index":0,"logprobs":null,"finish_reason":null}]}`, ['{"choices":[{"text":"","index":0,"finish_reason":"length"}]}', '[DONE]']],
  ['completion', 'stop', [], text => `{"index":0,"content":${text},"tokens":[1082],"stop":false}`, ['{"index":0,"content":"","tokens":[],"stop":true}']],
  ['messages', 'message_stop', ['{"type":"message_start","message":{"content":[]}}', '{"type":"content_block_start","content_block":{"type":"text","text":""}}'], text => `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":${text}}}`, ['{"type":"content_block_stop","index":0}', '{"type":"message_stop"}']],
  ['responses', 'response.completed', ['{"type":"response.created"}', '{"type":"response.content_part.added","part":{"type":"output_text","text":""}}'], text => `{"type":"response.output_text.delta","delta":${text}}`, ['{"type":"response.output_text.done","text":"abc"}']]
]

function event (data: string): string {
  const type = /"type":"([a-z_.]+)"/.exec(data)?.[1]
  return `${type === undefined ? '' : `event: ${type}\n`}data: ${data}\n\n`
}

t.test('told once, when all tokens but the last have come, on every route', async t => {
  for (const [what, end, before, token, after] of streams) {
    const tokens = ['" a"', '"\\"content\\":\\"x"', '" c"'].map(token)
    const chunks = [...before, ...tokens, ...after].map(event)
    t.same(toldAfter(watching(end), chunks), [before.length + 1], what)
    t.same(toldAfter(watching(end), [chunks.slice(0, before.length + 2).join(''), ...chunks.slice(before.length + 2)]), [0], `${what}, several events in one chunk`)
    t.same(toldAfter(watching(end, { maxTokens: 9 }), chunks), [], `${what}, ended long before its bound`)
  }
})

t.test('one event is one token at most, and parts of tool calls are none', async t => {
  const verbose = event('{"choices":[{"delta":{"content":"a"}}],"__verbose":{"content":"a"}}')
  t.same(toldAfter(watching('done'), [verbose, verbose]), [1])
  const tool = event('{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}]}')
  t.same(toldAfter(watching('done'), [tool, tool, tool]), [])
})

t.test('an event counts when it is whole, however it came; of one that is too long for a token the end alone may', async t => {
  const whole = event('{"choices":[{"delta":{"content":"a"}}]}')
  t.same(toldAfter(watching('done'), [whole.slice(0, 25), whole.slice(25), whole, whole]), [2])
  t.same(toldAfter(watching('done'), [...whole + whole]), [2 * whole.length - 1], 'byte by byte')
  const echo = `data: {"content":"","prompt":"${'x'.repeat(9_000)}`
  t.same(toldAfter(watching('stop'), [echo, '","stop":true}\n\n', whole, whole]), [3])
})

t.test('nothing to tell where there is no bound, no token before the last, several answers, progress that looks like tokens, or two bounds of which one is obeyed', async t => {
  for (const given of [{ maxTokens: -1 }, { maxTokens: 1 }, { maxTokens: 0 }, { places: 2 }, { json: { return_progress: true } }, { json: { max_tokens: 9 } }]) t.equal(watching('stop', given), undefined, JSON.stringify(given))
  t.ok(watching('stop', { maxTokens: 2 }))
})
