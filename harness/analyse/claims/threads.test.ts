import t from 'tap'
import type { Evidence } from '../../types.js'
import { simulateStreams, type SimulatedCondition, type StreamsSimulation } from '../testing-streams.js'
import { threads } from './threads.js'
import { all, claim, legs, needsEveryPrediction } from './testing.js'

const quota = { quotaMs: 600, periodMs: 500 }
const before: SimulatedCondition = { id: 'before', gapMs: 9, quota: { ...quota, cpusUsed: 1.75 } }
const after: SimulatedCondition = { id: 'after', gapMs: 9, baseline: 'before', quota: { ...quota, cpusUsed: 1.1 } }

function simulate (options: Partial<StreamsSimulation> = {}): Evidence {
  return simulateStreams({ design: 'pairs', conditions: [before, after], repeats: 8, predictTokens: 400, cpusUsed: { 1: 1.75 }, claims: [threads.id], ...options })
}

t.test('all four legs hold: supported', async t => {
  const found = claim(simulate())
  t.same(legs(found), all, JSON.stringify(found, null, 1))
  t.equal(found.status, 'SUPPORTED')
})

t.test('sabotage: same label, but as many threads as before', async t => {
  const found = claim(simulate({ conditions: [before, { ...after, quota: { ...quota, cpusUsed: 1.75 } }] }))
  t.same(legs(found), { application: 'fails', os: 'fails', control: 'holds', mechanism: 'fails' })
  t.equal(found.status, 'UNSUPPORTED')
})

t.test('sabotage: no quota was there to be cured', async t => {
  const found = claim(simulate({ conditions: [{ ...before, notApplied: true }, { ...after, notApplied: true }] }))
  t.equal(found.status, 'UNSUPPORTED')
  t.not(found.application.status, 'holds')
  t.equal(found.mechanism.status, 'missing')
})

t.test('sabotage: the server became faster, which is another cure', async t => {
  const found = claim(simulate({ conditions: [before, { ...after, gapMs: 5 }] }))
  t.same(legs(found), { ...all, control: 'fails' })
})

t.test('sabotage: before was slow for another reason than its quota', async t => {
  const found = claim(simulate({ conditions: [{ ...before, notApplied: true, hiccups: { share: 0.03, ms: 160 } }, after] }))
  t.equal(found.status, 'UNSUPPORTED')
  t.equal(found.control.status, 'missing', 'no period was throttled')
})

t.test('the tail is not bought with the rate', async t => {
  const found = claim(simulate({ conditions: [before, { ...after, gapMs: 16 }] }))
  t.equal(found.application.status, 'fails')
})

t.test('each source removed alone: its leg is missing, the claim unsupported', async t => {
  const missing = { runQueueWait: ['os'], throttling: ['control', 'mechanism'] } as const
  for (const source of ['runQueueWait', 'throttling'] as const) {
    const found = claim(simulate({ without: [source] }))
    t.same(legs(found), { ...all, ...Object.fromEntries(missing[source].map(leg => [leg, 'missing'])) }, source)
    t.equal(found.status, 'UNSUPPORTED')
  }
  t.equal(claim(simulate({ repeats: 3 })).application.status, 'missing', 'three pairs carry no interval')
})

t.test('what was not predicted before the run does not count', async t => {
  needsEveryPrediction(t, simulate())
})

t.test('on the quiet host it must change nothing', async t => {
  const quiet = (after: SimulatedCondition): Evidence => {
    const evidence = simulate({ conditions: [{ id: 'before', gapMs: 9 }, { baseline: 'before', ...after }] })
    const plan = { ...evidence.plan, quiet: true }
    return { ...evidence, plan: { ...plan, predictions: threads.predictions(plan, evidence.manifest) } }
  }
  const same = claim(quiet({ id: 'after', gapMs: 9 }))
  t.same(legs(same), all)
  t.equal(same.status, 'SUPPORTED')
  t.equal(claim(quiet({ id: 'after', gapMs: 12 })).application.status, 'fails')
})

t.test('a quota that stops nothing is an error before the run', async t => {
  t.throws(() => simulate({ cpusUsed: { 1: 1.1 } }), /does not stop a server that uses 1\.1 CPUs at once/)
})
