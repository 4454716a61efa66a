import t from 'tap'
import type { Claim, Evidence, StreamsPlan } from '../../types.js'
import { analyse } from '../analyse.js'
import { simulateContention, type ContendedCondition, type ContentionSimulation } from '../testing-contention.js'
import { claimEntry } from './index.js'
import { unbounded } from './leg.js'
import { all, claim as firstClaim, legs, needsEveryPrediction } from './testing.js'

type Arm = Omit<ContendedCondition, 'id' | 'baseline'>

/** What each mitigation does to llama-server as the kernel divides CPUs, and how the two arms are alike where there is nothing to cure. */
const mitigations: Readonly<Record<string, { readonly before: Arm, readonly after: Arm, readonly quiet: Arm, readonly calibration?: StreamsPlan['calibration'] }>> = {
  'cpu-weight-keeps-the-cpu': {
    before: { gapMs: 18, cpusUsed: 0.5, queueShare: 0.5, cpusOfOthers: 0.6 },
    after: { gapMs: 9, cpusUsed: 0.99, queueShare: 0.01, cpusOfOthers: 0.1, readBack: { 'cpu.weight': '10000' } },
    quiet: { gapMs: 9, cpusUsed: 1, queueShare: 0.01 }
  },
  'pinning-away-from-the-hog': {
    before: { gapMs: 19, cpusUsed: 0.48, queueShare: 0.52, cpusOfOthers: 0.6 },
    after: { gapMs: 9, cpusUsed: 1, queueShare: 0.01, cpusOfOthers: 1, readBack: { 'llama-server CPUs': '1' } },
    quiet: { gapMs: 9, cpusUsed: 1, queueShare: 0.01 }
  },
  'threads-as-many-as-free-cores': {
    before: { gapMs: 21, cpusUsed: 1.5, queueShare: 0.25, cpusOfOthers: 0.6 },
    after: { gapMs: 9, cpusUsed: 1, queueShare: 0.01, cpusOfOthers: 1.05, readBack: { 'compute threads': '-t 1' } },
    quiet: { gapMs: 9, cpusUsed: 1, queueShare: 0.01 },
    calibration: { servers: [{ model: 'twin', threads: 2, tokensPerSecond: 120, ttftMs: 30, gapMs: 8, cpusUsed: 1.9 }, { model: 'twin', threads: 1, tokensPerSecond: 110, ttftMs: 30, gapMs: 9, cpusUsed: 1 }] }
  }
}

interface Change { readonly before?: Partial<Arm>, readonly after?: Partial<Arm>, readonly rest?: Partial<ContentionSimulation> }

function simulated (id: string, quiet: boolean, { before = {}, after = {}, rest = {} }: Change = {}): Evidence {
  const found = mitigations[id]
  if (found === undefined) throw new Error(id)
  const arms = quiet ? { before: { ...found.quiet, readBack: {} }, after: { ...found.quiet, readBack: found.after.readBack ?? {} } } : found
  return simulateContention({
    claim: id,
    quiet,
    design: 'pairs',
    repeats: 8,
    ...(found.calibration === undefined ? {} : { calibration: found.calibration }),
    conditions: [{ id: 'before', ...arms.before, ...before }, { id: 'after', baseline: 'before', ...arms.after, ...after }],
    ...rest
  })
}

/** With tokens per second as the primary outcome, as the experiment files have it. */
function claim (evidence: Evidence): Claim {
  const outcomes = evidence.plan.outcomes.map(spec => ({ ...spec, primary: spec.metric === 'tokens-per-second' }))
  return firstClaim({ ...evidence, plan: { ...evidence.plan, outcomes } })
}

for (const [id, { before, after, quiet, calibration }] of Object.entries(mitigations)) {
  t.test(id, async t => {
    const good = claim(simulated(id, false))
    t.same(legs(good), all)
    t.equal(good.status, 'SUPPORTED')
    t.equal(good.id, id)

    t.same(legs(claim(simulated(id, false, { after: { ...before, readBack: after.readBack ?? {} } }))), { ...all, application: 'fails', os: 'fails', mechanism: 'fails', control: 'fails' }, 'sabotage: the mitigation was on in name only')
    t.match(legs(claim(simulated(id, false, { before: { ...after, cpusOfOthers: 0.05 }, after: { cpusOfOthers: 0.05 } }))), { application: 'fails', os: 'fails' }, 'sabotage: no hog was there')
    t.equal(claim(simulated(id, false, { rest: { repeats: 3 } })).application.status, 'missing', 'three pairs have no interval that counts')
    t.equal(claim(simulated(id, false, { after: { throttledPeriods: 2 } })).control.status, 'fails')
    t.match(legs(claim(simulated(id, false, { rest: { without: 'queue' } }))), { application: 'holds', os: 'missing' })
    t.match(legs(claim(simulated(id, false, { rest: { without: 'process' } }))), { application: 'holds', mechanism: 'missing', control: 'missing' })
    t.match(legs(claim(simulated(id, false, { rest: { without: 'host' } }))), { application: 'holds', mechanism: 'holds', control: 'missing' })
    needsEveryPrediction(t, simulated(id, false))
    if (calibration !== undefined) {
      const [first] = calibration.servers
      t.equal(claim(simulated(id, false, { rest: { calibration: { servers: first === undefined ? [] : [first] } } })).control.status, 'missing')
    }

    await t.test('on the quiet host', async t => {
      const equal = claim(simulated(id, true))
      t.same(legs(equal), all)
      t.equal(equal.id, `${id}-quiet`)
      t.same(legs(claim(simulated(id, true, { after: { gapMs: 1.3 * quiet.gapMs } }))), { ...all, application: 'fails' }, 'it has a price')
      t.same(legs(claim(simulated(id, true, { after: { readBack: {} } }))), { ...all, mechanism: 'fails' }, 'it was not on')
      t.same(legs(claim(simulated(id, true, { before: { cpusOfOthers: 1, queueShare: 0.4 } }))), { ...all, os: 'fails', control: 'fails' }, 'it was not quiet')
    })
  })
}

t.test('pinning: where perf ran, migrations are judged', async t => {
  const id = 'pinning-away-from-the-hog'
  t.same(legs(claim(simulated(id, false, { after: { migrationsPerSecond: 40 } }))), { ...all, mechanism: 'fails' })
  t.same(legs(claim(simulated(id, false, { rest: { without: 'perf' } }))), all)
})

t.test('a machine that got faster explains a gain, also where the yardstick saw it', async t => {
  const evidence = simulated('pinning-away-from-the-hog', false, { after: { gapMs: 6.4 } })
  const blocks = evidence.blocks.map(block => {
    const ms = block.evidence.plan.condition === 'after' ? 2.1 : 3
    return { ...block, evidence: { ...block.evidence, yardstick: { threads: 1, beforeMs: ms, afterMs: ms } } }
  })
  t.same(legs(claim({ ...evidence, blocks })), { ...all, control: 'fails' })
})

/** A first request that pays with page faults, and one that does not. */
function firstRequests ({ before = {}, after = {}, quiet = false, ttft = [60, 40] }: Change & { readonly quiet?: boolean, readonly ttft?: readonly [number, number] } = {}): Claim {
  const id = 'warmup-spares-the-first-request'
  const alike: Arm = { gapMs: 9, cpusUsed: 1, queueShare: 0.01, cpusOfOthers: 0.1 }
  const evidence = simulateContention({
    claim: id,
    quiet,
    design: 'pairs',
    repeats: 8,
    conditions: [{ id: 'before', ...alike, minorFaultsPerSecond: 900, ...before }, { id: 'after', baseline: 'before', ...alike, minorFaultsPerSecond: 100, readBack: { 'warm-up requests answered': '1 of 1' }, ...after }]
  })
  const outcomes = evidence.plan.outcomes.map(spec => ({ ...spec, primary: spec.metric === 'ttft-p50' }))
  const blocks = evidence.blocks.map((block, i) => ({
    ...block,
    calls: block.calls.map(call => {
      const ttftMs = (block.evidence.plan.condition === 'before' ? ttft[0] : ttft[1]) * (1 + i / 1000)
      return { ...call, firstMs: call.intendedMs + ttftMs, promptMs: ttftMs - 5 }
    })
  }))
  const [found] = analyse({ ...evidence, blocks, plan: { ...evidence.plan, outcomes } }, { cells: false }).claims
  if (found === undefined) throw new Error('no claim')
  return found
}

t.test('warm-up: the first request of a server that does not warm itself up', async t => {
  t.same(legs(firstRequests()), all)
  t.same(legs(firstRequests({ ttft: [40, 40] })), { ...all, application: 'fails', mechanism: 'fails' }, 'sabotage: nothing was cold')
  t.same(legs(firstRequests({ after: { minorFaultsPerSecond: 900 } })), { ...all, os: 'fails' }, 'sabotage: faster, but not for want of page faults')
  t.same(legs(firstRequests({ before: { queueShare: 0.4 } })), { ...all, control: 'fails' })
  t.same(legs(firstRequests({ quiet: true, ttft: [40, 40] })), all)
  t.same(legs(firstRequests({ quiet: true })), { ...all, application: 'fails' }, 'the server’s own warm-up had left something')
})

t.test('where sessions share out the CPUs, two threads beside a hog are put on one CPU: the prediction says so before the run', async t => {
  const { plan, manifest } = simulated('threads-as-many-as-free-cores', false)
  const band = (autogroup: boolean, wanted: string): readonly number[] =>
    claimEntry('threads-as-many-as-free-cores').predictions(plan, { ...manifest, autogroup }).flatMap(({ id, lo, hi }) => id === wanted ? [lo, hi] : [])
  t.same([band(false, 'cure'), band(true, 'cure')], [[1.5, 5], [10, unbounded]])
  t.same([band(false, 'queue-before'), band(true, 'queue-before')], [[0.15, 0.4], [0.4, 1]])
})
