import t from 'tap'
import type { Block, Evidence } from '../../types.js'
import { simulateStreams, type SimulatedCondition, type StreamsSimulation } from '../testing-streams.js'
import { cpuQuota } from './cpu-quota.js'
import { all, claim, legs, needsEveryPrediction } from './testing.js'

const cpusUsed = { 1: 1.1, 2: 1.75 }
const doses = [[500, 1000], [300, 600], [180, 360], [800, 1000]] as const

/** Two thread counts × (no quota + four doses), as in bench/experiments/cpu-quota.json. */
function conditions (rest: Partial<SimulatedCondition> = {}): SimulatedCondition[] {
  return ([1, 2] as const).flatMap(threads => [
    { id: `t${threads}-none`, threads, gapMs: 9 },
    ...doses.map(([quotaMs, periodMs]) => ({ id: `t${threads}-q${quotaMs}p${periodMs}`, threads, gapMs: 9, baseline: `t${threads}-none`, quota: { quotaMs, periodMs, cpusUsed: cpusUsed[threads] }, ...rest }))
  ])
}

function simulate (options: Partial<StreamsSimulation> = {}): Evidence {
  return seenByPidstat(simulateStreams({ conditions: conditions(), predictTokens: 400, cpusUsed, claims: [cpuQuota.id], ...options }))
}

/** As many compute threads as the condition has, which wait through the stalls that the samples tell of; and three of HTTP that wait, too, but hardly run. */
function seenByPidstat (evidence: Evidence, ofCompute = (_block: Block, waitUsec: number): number => waitUsec): Evidence {
  return {
    ...evidence,
    blocks: evidence.blocks.map(block => {
      const { judgedFromMs: fromMs, judgedToMs: toMs, plan: { condition } } = block.evidence
      const waitNs = block.samples.at(-1)?.process?.runQueueWaitNs
      if (waitNs === undefined) return block
      const compute = Array.from({ length: condition.startsWith('t2') ? 2 : 1 }, () => ({ cpuUsec: 1e6, waitUsec: ofCompute(block, waitNs / 1000) }))
      const http = Array.from({ length: 3 }, () => ({ cpuUsec: 2e4, waitUsec: waitNs / 1000 }))
      return { ...block, tools: { pidstat: { fromMs, toMs, cpuUsec: 1e6, voluntarySwitches: 0, involuntarySwitches: 0, minorFaults: 0, majorFaults: 0, waitUsec: 1, threads: [...compute, ...http] } } }
    })
  }
}

t.test('all four legs hold: supported, with the predicted gaps for the spectrum', async t => {
  const found = claim(simulate())
  t.same(legs(found), all)
  t.equal(found.status, 'SUPPORTED')
  const mark = found.marks?.find(({ condition }) => condition === 't2-q500p1000')
  t.ok(Math.abs((mark?.atMs ?? 0) - (1000 - 500 / 1.75 + 9)) < 2, 'period − quota ÷ CPUs used, and a token')
  t.equal(found.marks?.length, 8)
})

t.test('sabotage: the label of a quota that was not applied', async t => {
  const found = claim(simulate({ conditions: conditions({ notApplied: true }) }))
  t.same(legs(found), { application: 'missing', os: 'fails', control: 'fails', mechanism: 'missing' })
  t.equal(found.status, 'UNSUPPORTED')
})

t.test('sabotage: as many tokens are late by as much, but for another reason', async t => {
  const found = claim(simulate({ conditions: conditions({ notApplied: true, hiccups: { share: 0.02, ms: 545 } }) }))
  t.equal(found.control.status, 'fails', 'it does not go with the period')
  t.equal(found.status, 'UNSUPPORTED')
})

t.test('sabotage: one cell of eight without its quota', async t => {
  const found = claim(simulate({ conditions: conditions().map(each => each.id === 't1-q180p360' ? { ...each, notApplied: true } : each) }))
  t.equal(found.status, 'UNSUPPORTED')
  t.not(found.mechanism.status, 'holds')
})

t.test('a quota without a quota: the control had one, too', async t => {
  const found = claim(simulate({ conditions: conditions().map(each => each.id === 't1-none' ? { ...each, quota: { quotaMs: 900, periodMs: 1000, cpusUsed: 1.1 } } : each) }))
  t.equal(found.control.status, 'fails')
  t.equal(found.status, 'UNSUPPORTED')
})

t.test('stalls of another length than predicted', async t => {
  const found = claim(simulate({ cpusUsed: { 1: 1.4, 2: 2.2 } }))
  t.equal(found.mechanism.status, 'fails')
  t.match(found.mechanism.statement, /t1-q800p1000 27\d\S* \(343–514: outside\)/)
  t.equal(found.status, 'UNSUPPORTED')
})

t.test('a machine that is slower in some blocks is no slower server: gaps and CPU time grow together', async t => {
  const found = claim(simulate({ conditions: conditions().map(each => each.id === 't1-q300p600' ? { ...each, gapMs: 14, usecPerToken: 8000 * 14 / 9 } : each) }))
  t.same(legs(found), all)
})

t.test('a server that somebody else keeps off its CPU between the stalls is: gaps grow alone', async t => {
  const found = claim(simulate({ conditions: conditions().map(each => each.id === 't1-q300p600' ? { ...each, gapMs: 14 } : each) }))
  t.same(legs(found), { ...all, application: 'fails' })
  t.match(found.application.statement, /t1-q300p600 1\.5\d \(0\.8–1\.25: outside\)/)
})

t.test('pressure that there is without a quota, too, is not the quota’s', async t => {
  const everywhere = conditions().map(each => ({ ...each, elsewhere: 0.2 }))
  t.same(legs(claim(simulate({ conditions: everywhere }))), all)
  const found = claim(simulate({ conditions: everywhere.map(each => each.id === 't1-none' ? { ...each, elsewhere: 0 } : each) }))
  t.same(legs(found), { ...all, mechanism: 'fails' })
  t.match(found.mechanism.statement, /t1-q800p1000 \d+ \(\S+ outside\)/)
})

t.test('each source removed alone: its leg is missing, the claim unsupported', async t => {
  const missing = { process: ['application', 'os'], runQueueWait: ['os'], throttling: ['application', 'control', 'mechanism'], pressure: ['mechanism'] } as const
  for (const source of ['process', 'runQueueWait', 'throttling', 'pressure'] as const) {
    const found = claim(simulate({ without: [source] }))
    t.same(legs(found), { ...all, ...Object.fromEntries(missing[source].map(leg => [leg, 'missing'])) }, source)
    t.equal(found.status, 'UNSUPPORTED')
  }
  const evidence = simulate()
  const silent = claim({ ...evidence, blocks: evidence.blocks.map(block => ({ ...block, calls: block.calls.map(call => ({ ...call, itlMs: [] })) })) })
  t.same([silent.application.status, silent.control.status, silent.mechanism.status], ['missing', 'missing', 'missing'])
})

t.test('a condition without blocks is not passed over', async t => {
  const evidence = simulate()
  const found = claim({ ...evidence, blocks: evidence.blocks.filter(block => block.evidence.plan.condition !== 't2-q300p600') })
  t.same(legs(found), { application: 'missing', os: 'missing', control: 'missing', mechanism: 'missing' })
})

t.test('what was not predicted before the run does not count', async t => {
  const evidence = simulate()
  t.ok(evidence.plan.predictions.length > 40)
  needsEveryPrediction(t, evidence)
})

t.test('cgroup v1 has no pressure by group: none is predicted, none is missed', async t => {
  const evidence = simulate({ without: ['pressure'] })
  const manifest = { ...evidence.manifest, cgroup: 'v1' as const }
  const plan = { ...evidence.plan, predictions: cpuQuota.predictions(evidence.plan, manifest) }
  t.notOk(plan.predictions.some(({ id }) => id.startsWith('cpu-full')))
  const blocks = evidence.blocks.map(block => ({ ...block, evidence: { ...block.evidence, group: { version: 'v1' as const, path: '/sys/fs/cgroup/cpu/weir' } } }))
  t.equal(claim({ ...evidence, manifest, plan, blocks }).status, 'SUPPORTED')
  t.equal(claim({ ...evidence, manifest, plan }).status, 'UNSUPPORTED', 'but in version 2 it is')
})

t.test('the OS leg is about compute threads: those of HTTP may wait as well, and do not stand in for them', async t => {
  const found = claim(simulate())
  t.match(found.os.source, /^pidstat/)
  const idle = claim(seenByPidstat(simulate(), (_block, waitUsec) => waitUsec * 0.7))
  t.same(legs(idle), { ...all, os: 'fails' })
  t.match(idle.os.statement, /t1-q500p1000 0\.3\d+ \(0\.436–0\.655: outside\)/)
})

t.test('compute threads that wait as long without a quota were kept waiting by somebody else', async t => {
  const busy = claim(seenByPidstat(simulate(), ({ evidence: { plan, judgedFromMs, judgedToMs } }, waitUsec) => plan.condition === 't1-none' ? 0.3 * 1000 * (judgedToMs - judgedFromMs) : waitUsec))
  t.same(legs(busy), { ...all, os: 'fails' })
  t.match(busy.os.statement, /t1-q500p1000 0\.\d+ \(0\.436–0\.655: outside\)/)
})

t.test('a quota that does not bind is an error before the run', async t => {
  t.throws(() => simulate({ cpusUsed: { 1: 0.5, 2: 1.75 } }), /t1-q500p1000: a quota of 500 ms in each 1000 ms would stall .* Give it a smaller quota/)
})

t.test('a quota that does not pay for four tokens is an error before the run', async t => {
  const { plan, manifest } = simulate()
  if (!('servers' in plan.calibration)) throw new Error('streams expected')
  const slow = { ...plan, calibration: { servers: plan.calibration.servers.map(server => ({ ...server, gapMs: 23 })) } } as typeof plan
  t.throws(() => cpuQuota.predictions(slow, manifest), /t2-q180p360: a token takes 23 ms with 2 threads .* more than 22\.5 ms .* a smaller model/)
})
