import type { Leg, Plan, Prediction } from '../../types.js'
import { ofCondition } from '../gate.js'
import { isStreams } from '../plan-kind.js'
import type { StreamsView } from '../streams-summary.js'
import type { ClaimEntry, PlanDraft } from './contract.js'
import { allOf, bandLeg, predictionOf, unbounded } from './leg.js'
import { cureClaim } from './throttling-cure.js'
import { curePredictions, quietPredictions } from './throttling-cure-predictions.js'

const explanation = 'A server that is idle between calls leaves most of its quota unused, and still each call is stopped when it needs more than one period\'s quota at once. ' +
  'With cpu.max.burst what was left over is kept, up to the burst, and spent on the next call: over time the server gets no more CPU than its quota, but it gets it when a call is there.'

const ids = { bursts: 'bursts-after', none: 'bursts-before' } as const

/** Mitigation `cpu-burst`: quota that was left over is saved up for the next call. */
export const cpuBurst: ClaimEntry = {
  id: 'cpu-burst-carries-a-call',
  predictions: (draft, manifest) => draft.quiet ? quietPredictions() : [...curePredictions(draft, manifest, { steady: false }), ...burstPredictions(draft)],
  claims: (plan, _blocks, { streams, contrasts }) => isStreams(plan)
    ? [cureClaim({ id: cpuBurst.id, statement: 'Quota saved up while the server is idle carries a whole call through: its stops and the tail of the gaps go, at the same mean quota', explanation, mechanism: burstsLeg }, plan, streams, contrasts)]
    : []
}

function burstPredictions ({ workload }: PlanDraft): Prediction[] {
  if (workload.kind !== 'streams') return []
  return [
    { id: ids.bursts, metric: 'bursts', statement: 'nr_bursts after ÷ calls: most calls spend what was saved up', lo: 0.5, hi: unbounded },
    { id: ids.none, metric: 'bursts', statement: 'nr_bursts before', lo: 0, hi: 0 }
  ]
}

function burstsLeg (plan: Plan, views: readonly StreamsView[]): Leg {
  const source = 'cpu.stat of the group (nr_bursts)'
  const calls = ofCondition(views, 'after').reduce((sum, { judged }) => sum + judged.length, 0)
  const after = bursts(views, 'after')
  return allOf([
    bandLeg('nr_bursts after ÷ calls', source, after === null || calls === 0 ? null : after / calls, predictionOf(plan, ids.bursts)),
    bandLeg('nr_bursts before', source, bursts(views, 'before'), predictionOf(plan, ids.none))
  ])
}

/** Null when a block's kernel has no such counter (before Linux 5.14). */
function bursts (views: readonly StreamsView[], id: string): number | null {
  const grown = ofCondition(views, id).map(({ block: { evidence: { groupCountersAtStart: start, groupCountersAtEnd: end } } }) => {
    const [from, to] = [start?.['cpu.stat.nr_bursts'], end?.['cpu.stat.nr_bursts']]
    return from === undefined || to === undefined ? null : to - from
  })
  return grown.length === 0 || grown.includes(null) ? null : grown.reduce<number>((sum, value) => sum + (value ?? 0), 0)
}
