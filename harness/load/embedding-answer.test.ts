import t from 'tap'
import { createEmbeddingAnswer } from './embedding-answer.js'

const whole = '{"object":"list","usage":{"prompt_tokens":5,"total_tokens":5},"data":[{"embedding":[0.5],"index":0,"object":"embedding"}]}'

t.test('an answer is one part, there with its last byte, wherever it was cut', async t => {
  for (let cut = 0; cut <= whole.length; cut++) {
    const answer = createEmbeddingAnswer()
    answer.feed(Buffer.from(whole.slice(0, cut)), 10)
    answer.feed(Buffer.from(whole.slice(cut)), 20)
    const atMs = cut === whole.length ? 10 : 20
    t.match(answer, { done: true, chunkAtMs: [atMs], promptTokens: 5, error: undefined }, `cut at ${cut}`)
    t.equal(answer.chunkAtMs.length, 1)
  }
})

t.test('what is no answer is not done', async t => {
  const cut = createEmbeddingAnswer()
  cut.feed(Buffer.from(whole.slice(0, -1)), 10)
  t.match(cut, { done: false, chunkAtMs: [] })
  const error = createEmbeddingAnswer()
  error.feed(Buffer.from('{"error":{"type":"server_error"}}'), 10)
  t.match(error, { done: false, error: 'server_error' })
})
