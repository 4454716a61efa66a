import t from 'tap'
import type { Evidence } from '../../types.js'
import { simulateFactor, type Seen, type Source } from '../testing-factors.js'
import { all, claim, legs, needsEveryPrediction } from './testing.js'

/** 1.8 ms for a token of a prompt, 3 ms between tokens and 5 µs more for each token of the context. */
function usual (words: number, cached = false): Seen {
  const tokens = words + 1
  const computed = cached ? 1 : tokens
  return { ttftMs: 4 + 1.8 * computed, promptMs: 1.8 * computed, gapMs: 3 + 0.005 * tokens, promptTokens: tokens, cachedTokens: tokens - computed }
}

function simulated (change: (id: string, seen: Seen) => Partial<Seen> = () => ({}), without?: Source): Evidence {
  return simulateFactor({
    experiment: 'context-length',
    calibration: [{ model: 'small', threads: 1, tokensPerSecond: 110, ttftMs: 236, gapMs: 3.6, prompt: { tokens: 129, ms: 232 }, cpusUsed: 1 }],
    seen: ({ id, workload }, { promptWords }) => {
      const seen = usual(promptWords, workload?.cachePrompt === true)
      return { ...seen, ...change(id, seen) }
    },
    ...(without === undefined ? {} : { without })
  })
}

t.test('TTFT by the tokens that are computed, gaps by those that are looked back at: supported', async t => {
  const found = claim(simulated())
  t.same(legs(found), all, JSON.stringify(found, null, 1))
  t.equal(found.status, 'SUPPORTED')
})

t.test('sabotage: the same labels, but all prompts are as long as the calibrated one', async t => {
  const found = claim(simulated((id) => id === 'cached' ? usual(128, true) : usual(128)))
  t.same(legs(found), { ...all, application: 'fails', os: 'fails', mechanism: 'fails' })
  t.equal(found.status, 'UNSUPPORTED')
})

t.test('sabotage: long prompts wait for something else than their own computing', async t => {
  const found = claim(simulated((_id, { promptTokens, ttftMs, cachedTokens = 0 }) => ({ ttftMs: ttftMs + (cachedTokens > 0 ? 0 : 3 * promptTokens) })))
  t.same(legs(found), { ...all, os: 'fails', mechanism: 'fails' })
})

t.test('sabotage: the prompt cache does nothing; the length as such is slow', async t => {
  t.same(legs(claim(simulated(id => id === 'cached' ? usual(1024) : {}))), { ...all, control: 'fails' })
  t.same(legs(claim(simulated(id => id === 'cached' ? { gapMs: 3 } : {}))), { ...all, control: 'fails' }, 'what is cached must be read back all the same')
})

t.test('sabotage: gaps that do not grow with the context', async t => {
  t.equal(legs(claim(simulated(() => ({ gapMs: 3.6 }))))['mechanism'], 'fails')
  t.equal(legs(claim(simulated((id) => id === 'p1024' ? { gapMs: 40 } : id === 'cached' ? { gapMs: 40 } : {})))['mechanism'], 'fails')
})

t.test('a machine that is a fifth faster or slower than in its calibration moves nothing', async t => {
  for (const pace of [0.8, 1.25]) t.same(legs(claim(simulated((_id, { ttftMs, gapMs, promptMs = 0 }) => ({ ttftMs: ttftMs * pace, gapMs: gapMs * pace, promptMs: promptMs * pace })))), all)
  t.same(legs(claim(simulated((id, { ttftMs, gapMs, promptMs = 0 }) => id === 'p512' ? { ttftMs: ttftMs * 1.25, gapMs: gapMs * 1.25, promptMs: promptMs * 1.25 } : {}))), all, 'one length met a slower machine')
})

t.test('sabotage: rivals', async t => {
  for (const rival of [{ stealShare: 0.2 }, { majorFaultsPerSecond: 500 }]) t.same(legs(claim(simulated(id => id === 'p512' ? rival : {}))), { ...all, control: 'fails' })
})

t.test('each leg needs its source and its predictions', async t => {
  t.same(legs(claim(simulated(undefined, 'process'))), { ...all, os: 'missing', control: 'missing' })
  t.same(legs(claim(simulated(undefined, 'timings'))), { ...all, mechanism: 'missing', control: 'missing' })
  t.same(legs(claim(simulated(undefined, 'host'))), { ...all, control: 'missing' })
  const evidence = simulated()
  t.equal(legs(claim({ ...evidence, blocks: evidence.blocks.filter(({ evidence: { plan } }) => plan.condition !== 'p512') }))['application'], 'missing')
  needsEveryPrediction(t, evidence)
})
