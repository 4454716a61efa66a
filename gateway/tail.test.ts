import t from 'tap'
import { factsOfWhole, Tail } from './tail.js'
import type { TailFacts } from './tail.js'

/** Of bytes that came in pieces of this size. */
function tailOf (text: string, pieceBytes = Infinity): Tail {
  const tail = new Tail()
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += pieceBytes) tail.add(bytes.subarray(at, at + pieceBytes))
  return tail
}

t.test('it keeps the last 4 KB, however they came', async t => {
  for (const length of [0, 1, 4095, 4096, 4097, 8191, 8192, 8193, 20_000]) {
    const text = Array.from({ length }, (_, i) => String.fromCharCode(97 + i % 26)).join('')
    for (const piece of [1, 7, 4096, 5000, Infinity]) t.equal(tailOf(text, piece).text(), text.slice(-4096), `${length} bytes in pieces of ${piece}`)
  }
})

t.test('a ring that is used again knows nothing of the answer before', async t => {
  const first = tailOf(`${'x'.repeat(5000)}"timings":{"prompt_n":1,"prompt_ms":1,"predicted_n":1,"predicted_ms":1}`)
  t.ok(first.facts().timings)
  t.same(tailOf('data: {}').facts(), {})
})

t.test('what llama-server says at the end', async t => {
  const timings = { cache_n: 2, prompt_n: 3, prompt_ms: 4.5, predicted_n: 6, predicted_ms: 7 }
  const withTimings = `"timings":${JSON.stringify(timings)}`
  const cases: ReadonlyArray<readonly [what: string, text: string, facts: TailFacts]> = [
    ['nothing', '', {}],
    ['timings alone', `{${withTimings}}`, { timings, promptTokens: 5, cachedTokens: 2, outputTokens: 6 }],
    ['usage alone', '{"usage":{"completion_tokens": 9,"prompt_tokens":8,"prompt_tokens_details":{"cached_tokens":1}}}', { promptTokens: 8, cachedTokens: 1, outputTokens: 9 }],
    ['usage goes before timings', `{"usage":{"completion_tokens":9,"prompt_tokens":8},${withTimings}}`, { timings, promptTokens: 8, cachedTokens: 2, outputTokens: 9 }],
    ['Anthropic\'s words', '{"usage":{"input_tokens":8,"output_tokens":9,"cache_read_input_tokens":7}}', { promptTokens: 15, cachedTokens: 7, outputTokens: 9 }],
    ['the words of the Responses API', '{"usage":{"input_tokens":8,"output_tokens":9,"input_tokens_details":{"cached_tokens":7}}}', { promptTokens: 8, cachedTokens: 7, outputTokens: 9 }],
    ['the last of several', '{"usage":{"completion_tokens":1}} {"usage":{"completion_tokens":2}}', { outputTokens: 2 }],
    ['words of the generated text', '{"content":"\\"completion_tokens\\":5, \\"timings\\":{\\"prompt_n\\":1}"}', {}],
    ['timings that are none', '{"timings":{"prompt_n":"1"}}', {}],
    ['timings cut off at the end', '{"timings":{"prompt_n":1', {}],
    ['usage null', '{"usage":null}', {}]
  ]
  for (const [what, text, facts] of cases) {
    t.same(tailOf(text).facts(), facts, what)
    t.same(factsOfWhole(Buffer.from(text)), facts, `${what}, whole`)
    t.same(tailOf(`${'x'.repeat(9000)}${text}`, 1000).facts(), facts, `${what}, at the end of a long answer`)
  }
})
