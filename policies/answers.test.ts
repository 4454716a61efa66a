import t from 'tap'
import { refusal } from './answers.js'

t.test('a refusal has llama-server\'s error shape and is over', async t => {
  const answer = refusal({ status: 400, type: 'exceed_context_size_error', message: 'too long', reason: 'prompt-cap', extra: { n_prompt_tokens: 9, n_ctx: 8 } })
  t.equal(answer.status, 400)
  t.equal(answer.reason, 'prompt-cap')
  t.same(JSON.parse(String(answer.body)), { error: { code: 400, message: 'too long', type: 'exceed_context_size_error', reason: 'prompt-cap', n_prompt_tokens: 9, n_ctx: 8 } })
  t.equal(answer.headers['x-weir-reason'], 'prompt-cap')
  t.notOk('retry-after' in answer.headers, 'repeating is useless')
  t.match(await answer.over, { how: 'complete' })
  t.equal(await answer.released, undefined)
})

t.test('Retry-After is a whole number of seconds, rounded up, at least 1', async t => {
  for (const [seconds, header] of [[0, '1'], [0.2, '1'], [1, '1'], [1.01, '2'], [119.5, '120']] as const) {
    t.equal(refusal({ status: 429, type: 'x', message: 'm', reason: 'queue-full', retryAfterSeconds: seconds }).headers['retry-after'], header)
  }
})
