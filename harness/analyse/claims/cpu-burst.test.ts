import t from 'tap'
import type { Evidence } from '../../types.js'
import { simulateStreams, type SimulatedCondition, type StreamsSimulation } from '../testing-streams.js'
import { cpuBurst } from './cpu-burst.js'
import { all, claim, legs, needsEveryPrediction } from './testing.js'

const quota = { quotaMs: 300, periodMs: 1000 }
const before: SimulatedCondition = { id: 'before', gapMs: 9, quota: { ...quota, cpusUsed: 1 } }
/** Never out of quota, because of what was saved up. */
const after: SimulatedCondition = { id: 'after', gapMs: 9, baseline: 'before', quota: { ...quota, cpusUsed: 0.2 }, bursts: 1 }

function simulate (options: Partial<StreamsSimulation> = {}): Evidence {
  return simulateStreams({ design: 'pairs', conditions: [before, after], repeats: 8, predictTokens: 400, cpusUsed: { 1: 1 }, claims: [cpuBurst.id], ...options })
}

t.test('all four legs hold: supported', async t => {
  const found = claim(simulate())
  t.same(legs(found), all, JSON.stringify(found, null, 1))
  t.equal(found.status, 'SUPPORTED')
})

t.test('sabotage: same label, no burst', async t => {
  const found = claim(simulate({ conditions: [before, { ...after, bursts: 0, quota: { ...quota, cpusUsed: 1 } }] }))
  t.same(legs(found), { application: 'fails', os: 'fails', control: 'holds', mechanism: 'fails' })
})

t.test('sabotage: cured, but by no burst; or before had one, too', async t => {
  t.same(legs(claim(simulate({ conditions: [before, { ...after, bursts: 0 }] }))), { ...all, mechanism: 'fails' })
  t.same(legs(claim(simulate({ conditions: [{ ...before, bursts: 1 }, after] }))), { ...all, mechanism: 'fails' })
})

t.test('each source removed alone: its leg is missing, the claim unsupported', async t => {
  const missing = { runQueueWait: ['os'], throttling: ['control', 'mechanism'], bursts: ['mechanism'] } as const
  for (const source of ['runQueueWait', 'throttling', 'bursts'] as const) {
    const found = claim(simulate({ without: [source] }))
    t.same(legs(found), { ...all, ...Object.fromEntries(missing[source].map(leg => [leg, 'missing'])) }, source)
    t.equal(found.status, 'UNSUPPORTED')
  }
})

t.test('what was not predicted before the run does not count', async t => {
  needsEveryPrediction(t, simulate())
})

t.test('on the quiet host it promises nothing', async t => {
  const { plan, manifest } = simulate()
  t.strictSame(cpuBurst.predictions({ ...plan, quiet: true }, manifest).map(({ id }) => id), ['quiet-itl-p99-ratio', 'quiet-run-queue-wait', 'quiet-throttled-periods', 'quiet-median-gap-ratio'])
})
