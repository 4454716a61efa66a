import t from 'tap'
import type { Claim, Evidence, Leg, StreamsPlan } from '../../types.js'
import { analyse } from '../analyse.js'
import { simulateContention, type ContendedCondition, type ContentionSimulation } from '../testing-contention.js'

type Arm = Omit<ContendedCondition, 'id' | 'baseline'>

/** What each mitigation does to llama-server as the kernel divides CPUs, and how the two arms are alike where there is nothing to cure. */
const mitigations: Readonly<Record<string, { readonly before: Arm, readonly after: Arm, readonly quiet: Arm, readonly calibration?: StreamsPlan['calibration'] }>> = {
  'cpu-weight-keeps-the-cpu': {
    before: { gapMs: 18, cpusUsed: 0.5, queueShare: 0.5, cpusOfOthers: 0.6 },
    after: { gapMs: 9, cpusUsed: 0.99, queueShare: 0.01, cpusOfOthers: 0.1, readBack: { 'cpu.weight': '10000' } },
    quiet: { gapMs: 9, cpusUsed: 1, queueShare: 0.01 }
  },
  'threads-as-many-as-free-cores': {
    before: { gapMs: 21, cpusUsed: 1.5, queueShare: 0.25, cpusOfOthers: 0.6 },
    after: { gapMs: 9, cpusUsed: 1, queueShare: 0.01, cpusOfOthers: 1.05, readBack: { 'compute threads': '-t 1' } },
    quiet: { gapMs: 9, cpusUsed: 1, queueShare: 0.01 },
    calibration: { servers: [{ model: 'twin', threads: 2, tokensPerSecond: 120, ttftMs: 30, gapMs: 8, cpusUsed: 1.9 }, { model: 'twin', threads: 1, tokensPerSecond: 110, ttftMs: 30, gapMs: 9, cpusUsed: 1 }] }
  }
}

const all = { application: 'holds', os: 'holds', control: 'holds', mechanism: 'holds' }

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

function legs ({ application, os, control, mechanism }: Claim): Record<string, Leg['status']> {
  return { application: application.status, os: os.status, control: control.status, mechanism: mechanism.status }
}

/** With tokens per second as the primary outcome, as the experiment files have it. */
function claim (evidence: Evidence): Claim {
  const outcomes = evidence.plan.outcomes.map(spec => ({ ...spec, primary: spec.metric === 'tokens-per-second' }))
  const [found] = analyse({ ...evidence, plan: { ...evidence.plan, outcomes } }, { cells: false }).claims
  if (found === undefined) throw new Error('no claim')
  return found
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
    const evidence = simulated(id, false)
    for (const prediction of evidence.plan.predictions) {
      const predictions = evidence.plan.predictions.filter(each => each !== prediction)
      t.equal(claim({ ...evidence, plan: { ...evidence.plan, predictions } }).status, 'UNSUPPORTED', `without the prediction ${prediction.id}`)
    }
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
