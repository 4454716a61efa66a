import type { CallSample, Cell, OpenLoopPlan } from '../types.js'
import { backlogPerSecond } from './backlog.js'
import type { OpenLoopView } from './block-summary.js'
import { blockMeasure, cellOf, type Measure } from './cell.js'
import { ofCondition } from './gate.js'
import { predictedCalls } from './predictions.js'
import { isGood, scheduledTtftMs } from './window.js'
import { goodWork, workCapacity } from './work.js'

const answeredOnly = (value: (call: CallSample) => number | undefined) => (view: OpenLoopView): number[] =>
  view.judged.flatMap(call => call.outcome === 'answered' ? value(call) ?? [] : [])

/** By how many calls stood in the line when the call arrived. */
const predictionErrors = [
  { metric: 'ttft-prediction-error-0', from: 0, to: 0 },
  { metric: 'ttft-prediction-error-1', from: 1, to: 1 },
  { metric: 'ttft-prediction-error-2', from: 2, to: 3 },
  { metric: 'ttft-prediction-error-4', from: 4, to: Infinity }
] as const

/** Definitions: every latency is in milliseconds; those called scheduled count from the intended time. */
const callMeasures: readonly Measure<OpenLoopView>[] = [
  { metric: 'ttft', unit: 'ms', population: 'offered', samples: view => view.judged.map(call => scheduledTtftMs(call) ?? Infinity) },
  { metric: 'ttft', unit: 'ms', population: 'answered', samples: view => view.ttftMs },
  { metric: 'ttft-wire', unit: 'ms', population: 'answered', samples: answeredOnly(call => call.firstMs === undefined ? undefined : call.firstMs - call.sentMs) },
  { metric: 'request-latency', unit: 'ms', population: 'answered', samples: answeredOnly(call => call.doneMs - call.intendedMs) },
  { metric: 'tpot', unit: 'ms', population: 'answered', samples: answeredOnly(timePerOutputTokenMs) },
  { metric: 'itl', unit: 'ms', population: 'answered', samples: view => view.judged.flatMap(call => call.outcome === 'answered' ? call.itlMs : []) },
  { metric: 'refusal-cost', unit: 'ms', population: 'refused', samples: view => view.judged.flatMap(call => call.outcome === 'refused' ? call.doneMs - call.sentMs : []) },
  { metric: 'queue-wait', unit: 'ms', population: 'answered', samples: queueWaits },
  ...predictionErrors.map(({ metric, from, to }): Measure<OpenLoopView> => ({
    metric,
    unit: 'ms',
    population: 'answered',
    samples: view => predictedCalls(view.block).filter(({ depth }) => depth >= from && depth <= to).map(({ realMs, predictedMs }) => Math.abs(realMs - predictedMs))
  }))
]

const blockMeasures: readonly Measure<OpenLoopView>[] = [
  blockMeasure('good-per-second', 'requests/s', view => view.summary.goodPerSecond),
  blockMeasure('good-per-capacity', 'ratio', view => view.summary.capacityPerSecond > 0 ? view.summary.goodPerCapacity : null),
  blockMeasure('answered-per-second', 'answers/s', view => view.summary.answeredPerSecond),
  blockMeasure('tokens-per-second', 'tokens/s', view => view.summary.tokensPerSecond),
  blockMeasure('capacity', 'answers/s', view => view.summary.capacityPerSecond > 0 ? view.summary.capacityPerSecond : null),
  blockMeasure('server-cpu-per-token', 'µs', view => view.summary.serverCpuUsecPerToken),
  blockMeasure('closed-loop-cpu-per-token', 'µs', view => view.summary.closedLoopCpuUsecPerToken),
  blockMeasure('backlog-growth', 'calls/s', view => backlogPerSecond(view.block))
]

/** Undefined below 2 tokens, not 0. */
function timePerOutputTokenMs (call: CallSample): number | undefined {
  const out = call.outputTokens ?? call.chunks
  return out < 2 || call.firstMs === undefined || call.lastMs === undefined ? undefined : (call.lastMs - call.firstMs) / (out - 1)
}

/** Of the gateway's records of generations that arrived in the judged window and were answered completely. */
function queueWaits ({ block }: OpenLoopView): number[] {
  const { judgedFromMs, judgedToMs } = block.evidence
  return block.records
    .filter(record => record.route === 'generation' && record.outcome === 'complete' && record.arrivedAtMs >= judgedFromMs && record.arrivedAtMs < judgedToMs)
    .sort((a, b) => a.arrivedAtMs - b.arrivedAtMs)
    .map(record => record.queueWaitMs)
}

/** Where lengths differ: good ÷ offered of each class, and good answers by their work. */
function shareMeasures ({ workload, calibration: { serviceTime } }: OpenLoopPlan): Array<Measure<OpenLoopView>> {
  if (serviceTime === undefined) return []
  const ofClass = ({ judged }: OpenLoopView, name: string): number | null => {
    const own = judged.filter(({ cls }) => cls === name)
    return own.length === 0 ? null : own.filter(call => isGood(call, workload)).length / own.length
  }
  return [
    blockMeasure('good-work-per-capacity', 'ratio', ({ block, seconds }) => {
      const capacity = workCapacity(block, workload, serviceTime)
      return capacity > 0 ? goodWork(block, workload, serviceTime) / seconds / capacity : null
    }),
    blockMeasure('good-share', 'ratio', ({ good, judged }) => judged.length === 0 ? null : good / judged.length),
    ...workload.classes.map(({ name }) => blockMeasure<OpenLoopView>(`good-share-of-${name}`, 'ratio', view => ofClass(view, name)))
  ]
}

/** One cell for each condition and measure that has samples, over the valid blocks. */
export function cellsOf (plan: OpenLoopPlan, views: readonly OpenLoopView[]): Cell[] {
  const limit = Math.max(...Object.values(plan.workload.ttftLimitMs))
  return plan.conditions.flatMap(({ id }) => {
    const own = ofCondition(views, id).sort((a, b) => a.summary.index - b.summary.index)
    return [...callMeasures, ...blockMeasures, ...shareMeasures(plan)].flatMap(measure => cellOf(id, measure, own, limit) ?? [])
  })
}
