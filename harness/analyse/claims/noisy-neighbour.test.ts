import t from 'tap'
import type { Claim, Evidence, Leg } from '../../types.js'
import { analyse } from '../analyse.js'
import { simulateContention, type ContendedCondition, type ContentionSimulation } from '../testing-contention.js'
import { all } from './testing.js'

interface Doses { readonly none: Partial<ContendedCondition>, readonly one: Partial<ContendedCondition>, readonly two: Partial<ContendedCondition>, readonly idle: Partial<ContendedCondition> }

/** As the kernel divides a CPU: one thread gets 1/(1 + hogs) of it; two threads get as much and keep the square of it, and a little less. */
const usual: readonly [Doses, Doses] = [
  {
    none: { gapMs: 9, cpusUsed: 1, queueShare: 0.01 },
    one: { gapMs: 18, cpusUsed: 0.5, queueShare: 0.5 },
    two: { gapMs: 27, cpusUsed: 1 / 3, queueShare: 2 / 3 },
    idle: { gapMs: 9.2, cpusUsed: 1, queueShare: 0.02 }
  },
  {
    none: { gapMs: 8, cpusUsed: 1.9, queueShare: 0.02 },
    one: { gapMs: 36, cpusUsed: 1, queueShare: 0.49 },
    two: { gapMs: 100, cpusUsed: 0.65, queueShare: 0.66 },
    idle: { gapMs: 8.3, cpusUsed: 1.9, queueShare: 0.03 }
  }
]

function conditions (change: (id: string, usual: Partial<ContendedCondition>) => Partial<ContendedCondition>): ContendedCondition[] {
  return usual.flatMap((doses, i) => (['none', 'one', 'two', 'idle'] as const).map(dose => {
    const [id, base] = [`t${i + 1}-${dose}`, `t${i + 1}-none`]
    const hogs = { none: 0, one: 1, two: 2, idle: undefined }[dose]
    const factors = { threads: i + 1, ...(hogs === undefined ? {} : { 'hogs per CPU': hogs }) }
    return { id, factors, threads: i + 1, ...(id === base ? {} : { baseline: base }), gapMs: 9, cpusUsed: 1, queueShare: 0, ...doses[dose], ...change(id, doses[dose]) }
  }))
}

function simulated (change: (id: string, usual: Partial<ContendedCondition>) => Partial<ContendedCondition> = () => ({}), rest: Partial<ContentionSimulation> = {}): Evidence {
  return simulateContention({ claim: 'noisy-neighbour', conditions: conditions(change), predictTokens: 120, ...rest })
}

function claims (evidence: Evidence): Record<string, Claim> {
  return Object.fromEntries(analyse(evidence, { cells: false }).claims.map(claim => [claim.id, claim]))
}

const SHARE = 'noisy-neighbour-takes-its-share'
const COLLAPSE = 'noisy-neighbour-collapse'
function legs (of: Claim | undefined): Record<string, Leg['status'] | undefined> {
  return { application: of?.application.status, os: of?.os.status, control: of?.control.status, mechanism: of?.mechanism.status }
}

t.test('a fair share for one thread, a collapse for two: both supported', async t => {
  const found = claims(simulated())
  t.same(Object.keys(found), [SHARE, COLLAPSE])
  for (const id of [SHARE, COLLAPSE]) {
    t.same(legs(found[id]), all, id)
    t.equal(found[id]?.status, 'SUPPORTED')
  }
  t.match(found[COLLAPSE]?.os.source, /pidstat/)
})

t.test('sabotage: the same labels, but no hog was there', async t => {
  const base = (id: string): Partial<ContendedCondition> => usual[id.startsWith('t1') ? 0 : 1].none
  const found = claims(simulated(base))
  for (const id of [SHARE, COLLAPSE]) {
    t.same(legs(found[id]), { application: 'fails', os: 'fails', control: 'holds', mechanism: 'fails' }, id)
    t.equal(found[id]?.status, 'UNSUPPORTED')
  }
})

t.test('sabotage: as slow, but for another reason than waiting for a CPU', async t => {
  const slow = claims(simulated((id, { gapMs = 0 }) => ({ ...usual[id.startsWith('t1') ? 0 : 1].none, gapMs })))
  t.match(legs(slow[COLLAPSE]), { application: 'holds', os: 'fails', mechanism: 'fails' })
  const rivals: ReadonlyArray<Partial<ContendedCondition>> = [{ stealShare: 0.2 }, { majorFaultsPerSecond: 500 }, { throttledPeriods: 3 }]
  for (const rival of rivals) {
    const found = claims(simulated(id => id === 't2-one' ? rival : {}))
    t.same(legs(found[COLLAPSE]), { ...all, control: 'fails' }, JSON.stringify(rival))
    t.equal(found[COLLAPSE]?.status, 'UNSUPPORTED')
  }
})

t.test('a token that costs two threads no more than their fair share is no collapse', async t => {
  const found = claims(simulated(id => id === 't2-one' ? { gapMs: 16 } : id === 't2-two' ? { gapMs: 24 } : {}))
  t.same(legs(found[COLLAPSE]), { ...all, application: 'fails', mechanism: 'fails' })
  t.match(found[COLLAPSE]?.mechanism.statement, /kept, one hog per CPU: 0\.5\d*, predicted at least 0\.8/)
  const fewer = claims(simulated(id => id === 't2-one' ? { gapMs: 36, cpusUsed: 0.77, queueShare: 0.55 } : {}))
  t.same(legs(fewer[COLLAPSE]), { ...all, mechanism: 'fails' }, 'as slow as the square of a half, but it had kept less than a half')
})

t.test('hogs that have no claim to CPU time must do nothing', async t => {
  const found = claims(simulated(id => id === 't1-idle' ? { gapMs: 18 } : {}))
  t.same(legs(found[SHARE]), { ...all, control: 'fails' })
  t.same(legs(found[COLLAPSE]), all)
})

t.test('each leg needs its source; without pidstat the kernel’s own counters do', async t => {
  const noTool = claims(simulated(undefined, { without: 'pidstat' }))
  t.same(legs(noTool[COLLAPSE]), all)
  t.match(noTool[COLLAPSE]?.os.source, /schedstat/)
  const noProcess = claims(simulated(undefined, { without: 'process' }))
  t.same(legs(noProcess[COLLAPSE]), { ...all, control: 'missing', mechanism: 'missing' })
  const noHost = claims(simulated(undefined, { without: 'host' }))
  t.same(legs(noHost[SHARE]), { ...all, control: 'missing' })
  const evidence = simulated()
  t.equal(legs(claims(simulated(undefined, { without: 'queue' }))[SHARE])['os'], 'missing')
  const silent: Evidence = { ...evidence, blocks: evidence.blocks.filter(block => block.evidence.plan.condition !== 't2-one') }
  t.equal(legs(claims(silent)[COLLAPSE])['application'], 'missing')
})

t.test('what was not predicted before the run does not count', async t => {
  const evidence = simulated()
  for (const { id } of evidence.plan.predictions) {
    const predictions = evidence.plan.predictions.filter(prediction => prediction.id !== id)
    const found = claims({ ...evidence, plan: { ...evidence.plan, predictions } })
    t.ok(Object.values(found).some(claim => claim.status === 'UNSUPPORTED'), id)
  }
})

t.test('no condition with a hog on each CPU: nothing is claimed of it', async t => {
  const found = claims(simulateContention({ claim: 'noisy-neighbour', conditions: conditions(() => ({})).filter(({ id }) => /none|idle/.test(id)), predictTokens: 120 }))
  t.same(Object.values(found).map(claim => [claim.status, claim.application.status]), [['UNSUPPORTED', 'missing'], ['UNSUPPORTED', 'missing']])
})
