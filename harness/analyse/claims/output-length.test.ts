import t from 'tap'
import type { Evidence } from '../../types.js'
import { simulateFactor, type Seen, type Source } from '../testing-factors.js'
import { all, claim, legs, needsEveryPrediction } from './testing.js'

function simulated (change: (id: string, seen: Seen, tokens: number) => Partial<Seen> = () => ({}), without?: Source): Evidence {
  return simulateFactor({
    experiment: 'output-length',
    calibration: [{ model: 'small', threads: 1, tokensPerSecond: 260, ttftMs: 62, gapMs: 3.2, prompt: { tokens: 33, ms: 58 }, cpusUsed: 1 }],
    seen: ({ id }, { promptWords, predictTokens }) => {
      const seen = { ttftMs: 4 + 1.8 * (promptWords + 1), gapMs: 3 + 0.005 * (promptWords + predictTokens / 2), promptTokens: promptWords + 1 }
      return { ...seen, ...change(id, seen, predictTokens) }
    },
    ...(without === undefined ? {} : { without })
  })
}

t.test('as many calls of the decoder as tokens, all alike: supported', async t => {
  const found = claim(simulated())
  t.same(legs(found), all, JSON.stringify(found, null, 1))
  t.equal(found.status, 'SUPPORTED')
})

t.test('sabotage: the same labels, but all answers are as short', async t => {
  const evidence = simulated()
  const short = { ...evidence, blocks: evidence.blocks.map(block => ({ ...block, calls: block.calls.map(call => ({ ...call, doneMs: call.intendedMs + 262, itlMs: call.itlMs.slice(0, 63) })) })) }
  t.equal(legs(claim(short))['application'], 'fails')
  t.equal(claim(short).status, 'UNSUPPORTED')
})

t.test('sabotage: later tokens are slower and slower', async t => {
  t.same(legs(claim(simulated((_id, { gapMs }, tokens) => ({ gapMs: gapMs * (tokens > 64 ? 2 : 1) })))), { ...all, application: 'fails', os: 'fails', mechanism: 'fails', control: 'fails' })
})

t.test('sabotage: long answers wait before their first token', async t => {
  t.same(legs(claim(simulated((id) => id === 'o256' ? { ttftMs: 120 } : {}))), { ...all, control: 'fails' })
})

t.test('sabotage: tokens that share a call, and a prompt that is as slow as an answer', async t => {
  t.same(legs(claim(simulated(() => ({ tokensPerDecode: 2 })))), { ...all, mechanism: 'fails' })
  t.same(legs(claim(simulated(id => id === 'prompt' ? { ttftMs: 1000 } : {}))), { ...all, control: 'fails' })
})

t.test('a machine that is a fifth faster or slower than in its calibration moves nothing', async t => {
  for (const pace of [0.8, 1.25]) t.same(legs(claim(simulated((_id, { ttftMs, gapMs }) => ({ ttftMs: ttftMs * pace, gapMs: gapMs * pace })))), all)
})

t.test('each leg needs its source and its predictions', async t => {
  t.same(legs(claim(simulated(undefined, 'process'))), { ...all, os: 'missing', control: 'missing' })
  t.same(legs(claim(simulated(undefined, 'metrics'))), { ...all, mechanism: 'missing' })
  needsEveryPrediction(t, simulated())
})
