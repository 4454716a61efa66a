import t from 'tap'
import type { Evidence } from '../../types.js'
import { simulateFactor, type Seen, type Source } from '../testing-factors.js'
import { all, claim, legs, needsEveryPrediction } from './testing.js'

/** Switches for a token: a handful, or hundreds where threads sleep at their barriers. */
const switches = (perToken: number): NonNullable<Seen['grown']> => ({ voluntarySwitches: 0.8 * perToken * 110, involuntarySwitches: 0.2 * perToken * 110 })

const usual: Readonly<Record<string, Seen>> = {
  t1: { ttftMs: 20, gapMs: 3.9, promptTokens: 5, cpusUsed: 1, queueShare: 0.1, grown: switches(6) },
  t2: { ttftMs: 15, gapMs: 2.8, promptTokens: 5, cpusUsed: 1.9, queueShare: 0.09, grown: switches(10) },
  t3: { ttftMs: 50, gapMs: 11, promptTokens: 5, cpusUsed: 1.25, queueShare: 0.3, grown: switches(800) },
  t4: { ttftMs: 60, gapMs: 12, promptTokens: 5, cpusUsed: 1.4, queueShare: 0.4, grown: switches(1200) },
  't1-one-cpu': { ttftMs: 20, gapMs: 3.5, promptTokens: 5, cpusUsed: 1, queueShare: 0.05, grown: switches(10) },
  't2-one-cpu': { ttftMs: 40, gapMs: 7.7, promptTokens: 5, cpusUsed: 1, queueShare: 0.43, grown: switches(590) }
}

function simulated (change: Partial<Record<string, Partial<Seen>>> = {}, without?: Source): Evidence {
  return simulateFactor({
    experiment: 'thread-count',
    calibration: [1, 2, 3, 4].map(threads => ({ model: 'small', threads, tokensPerSecond: 100, ttftMs: 20, gapMs: 4, cpusUsed: threads })),
    seen: ({ id }) => ({ ...usual[id] ?? { ttftMs: 0, gapMs: 0, promptTokens: 0 }, ...change[id] }),
    ...(without === undefined ? {} : { without })
  })
}

t.test('threads that fit are fast, one more makes them switch and wait: supported', async t => {
  const found = claim(simulated())
  t.same(legs(found), all, JSON.stringify(found, null, 1))
  t.equal(found.status, 'SUPPORTED')
})

t.test('sabotage: the same labels, but never more than two threads', async t => {
  const found = claim(simulated({ t3: usual['t2'] ?? {}, t4: usual['t2'] ?? {} }))
  t.same(legs(found), { ...all, application: 'fails', os: 'fails', mechanism: 'fails' })
  t.equal(found.status, 'UNSUPPORTED')
})

t.test('sabotage: as slow, but without switching or waiting', async t => {
  const slow = { gapMs: 11, cpusUsed: 1.9, queueShare: 0.05, grown: switches(10) }
  t.same(legs(claim(simulated({ t3: slow, t4: slow }))), { ...all, os: 'fails', mechanism: 'fails' })
})

t.test('sabotage: more threads than CPUs do nothing on one CPU; others were on the CPUs; rivals', async t => {
  t.same(legs(claim(simulated({ 't2-one-cpu': { gapMs: 3.6 } }))), { ...all, control: 'fails' })
  t.same(legs(claim(simulated({ t2: { cpusUsed: 1.2, grown: switches(10) } }))), { ...all, mechanism: 'holds', control: 'fails' })
  t.same(legs(claim(simulated({ t4: { stealShare: 0.2 } }))), { ...all, control: 'fails' })
})

t.test('what a second thread on a second CPU brings depends on what the CPUs share, and is no part of the claim', async t => {
  t.same(legs(claim(simulated({ t2: { gapMs: 4.6 } }))), all)
})

t.test('each leg needs its source and its predictions', async t => {
  t.same(legs(claim(simulated({}, 'queue'))), { ...all, os: 'missing' })
  t.same(legs(claim(simulated({}, 'process'))), { ...all, os: 'missing', mechanism: 'missing', control: 'missing' })
  needsEveryPrediction(t, simulated())
})
