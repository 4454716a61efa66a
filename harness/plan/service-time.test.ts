import t from 'tap'
import type { CallSample } from '../types.js'
import { serviceTimeOf, workSeconds } from './service-time.js'

function alone (promptTokens: number, outputTokens: number): CallSample {
  const firstMs = 20 + 5 * promptTokens
  const lastMs = firstMs + 8 * (outputTokens - 1)
  return { phase: 'unloaded', seq: 0, cls: 'a', intendedMs: 0, sentMs: 0, firstMs, lastMs, doneMs: lastMs, outcome: 'answered', chunks: outputTokens, itlMs: [], promptTokens, outputTokens }
}

t.test('prefill by the length of the prompt, decode by the token, and what each call costs beside', async t => {
  const time = serviceTimeOf([alone(20, 4), alone(40, 30), alone(200, 1), alone(90, 16)])
  t.same(time, { msPerCall: 20, msPerPromptToken: 5, msPerOutputToken: 8 })
  t.equal(time === undefined ? 0 : workSeconds(alone(100, 10), time), 0.6)
})

t.test('lengths that do not differ say nothing of it, and neither does a server that tells none', async t => {
  t.equal(serviceTimeOf([alone(44, 16), alone(45, 16), alone(46, 16)]), undefined)
  t.equal(serviceTimeOf([alone(20, 4), alone(40, 30), alone(200, 2)].map(({ promptTokens, ...rest }) => rest)), undefined)
})

t.test('a call without an answer is no work', async t => {
  t.equal(workSeconds({ chunks: 0 }, { msPerCall: 20, msPerPromptToken: 5, msPerOutputToken: 8 }), 0)
})
