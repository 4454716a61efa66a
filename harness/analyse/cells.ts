import type { Arm, CallSample, Cell, Population, Workload } from '../types.js'
import { blockBootstrap } from '../stats/bootstrap.js'
import { effectiveN } from '../stats/effective.js'
import { percentileNames, percentiles, quantileOf, type PercentileName } from '../stats/percentile.js'
import { backlogPerSecond } from './backlog.js'
import type { BlockView } from './block-summary.js'
import { ofArm } from './gate.js'
import { scheduledTtftMs } from './window.js'

interface Measure {
  readonly metric: string
  readonly unit: string
  readonly population: Population
  /** Samples of one block in order of intended time; +Infinity = worse than any. */
  readonly samples: (view: BlockView) => readonly number[]
}

const answeredOnly = (value: (call: CallSample) => number | undefined) => (view: BlockView): number[] =>
  view.judged.flatMap(call => call.outcome === 'answered' ? value(call) ?? [] : [])

/** Definitions: every latency is in milliseconds; those called scheduled count from the intended time. */
const callMeasures: readonly Measure[] = [
  { metric: 'ttft', unit: 'ms', population: 'offered', samples: view => view.judged.map(call => scheduledTtftMs(call) ?? Infinity) },
  { metric: 'ttft', unit: 'ms', population: 'answered', samples: view => view.ttftMs },
  { metric: 'ttft-wire', unit: 'ms', population: 'answered', samples: answeredOnly(call => call.firstMs === undefined ? undefined : call.firstMs - call.sentMs) },
  { metric: 'request-latency', unit: 'ms', population: 'answered', samples: answeredOnly(call => call.doneMs - call.intendedMs) },
  { metric: 'tpot', unit: 'ms', population: 'answered', samples: answeredOnly(timePerOutputTokenMs) },
  { metric: 'itl', unit: 'ms', population: 'answered', samples: view => view.judged.flatMap(call => call.outcome === 'answered' ? call.itlMs : []) },
  { metric: 'refusal-cost', unit: 'ms', population: 'refused', samples: view => view.judged.flatMap(call => call.outcome === 'refused' ? call.doneMs - call.sentMs : []) },
  { metric: 'queue-wait', unit: 'ms', population: 'answered', samples: queueWaits }
]

const blockMeasures: readonly Measure[] = [
  blockMeasure('good-per-second', 'requests/s', view => view.summary.goodPerSecond),
  blockMeasure('good-per-capacity', 'ratio', view => view.summary.capacityPerSecond > 0 ? view.summary.goodPerCapacity : null),
  blockMeasure('answered-per-second', 'answers/s', view => view.summary.answeredPerSecond),
  blockMeasure('tokens-per-second', 'tokens/s', view => view.summary.tokensPerSecond),
  blockMeasure('capacity', 'answers/s', view => view.summary.capacityPerSecond > 0 ? view.summary.capacityPerSecond : null),
  blockMeasure('server-cpu-per-token', 'µs', view => view.summary.serverCpuUsecPerToken),
  blockMeasure('backlog-growth', 'calls/s', view => backlogPerSecond(view.block))
]

function blockMeasure (metric: string, unit: string, value: (view: BlockView) => number | null): Measure {
  return { metric, unit, population: 'block', samples: view => [value(view) ?? []].flat() }
}

/** Undefined below 2 tokens, not 0. */
function timePerOutputTokenMs (call: CallSample): number | undefined {
  const out = call.outputTokens ?? call.chunks
  return out < 2 || call.firstMs === undefined || call.lastMs === undefined ? undefined : (call.lastMs - call.firstMs) / (out - 1)
}

/** Of the gateway's records of generations that arrived in the judged window and were answered completely. */
function queueWaits ({ block }: BlockView): number[] {
  const { judgedFromMs, judgedToMs } = block.evidence
  return block.records
    .filter(record => record.route === 'generation' && record.outcome === 'complete' && record.arrivedAtMs >= judgedFromMs && record.arrivedAtMs < judgedToMs)
    .sort((a, b) => a.arrivedAtMs - b.arrivedAtMs)
    .map(record => record.queueWaitMs)
}

/** One cell for each arm and measure that has samples, over the valid blocks. */
export function cellsOf (views: readonly BlockView[], workload: Workload): Cell[] {
  const limit = Math.max(...Object.values(workload.ttftLimitMs))
  const arms: readonly Arm[] = ['before', 'after']
  return arms.flatMap(arm => [...callMeasures, ...blockMeasures].flatMap(measure => {
    const blocks = ofArm(views, arm)
      .sort((a, b) => a.summary.index - b.summary.index)
      .map(view => [...measure.samples(view)])
    return cellOf(arm, measure, blocks, limit) ?? []
  }))
}

function cellOf (arm: Arm, measure: Measure, blocks: readonly (readonly number[])[], limitMs: number): Cell | undefined {
  const pooled = blocks.flat()
  if (pooled.length === 0) return undefined
  const nEff = effectiveN(blocks)
  const { censoredAbove, ...found } = percentiles(pooled, nEff, limitMs)
  const mean = pooled.reduce((sum, value) => sum + value, 0) / pooled.length
  const stated = percentileNames.filter(name => found[name] !== null)
  const intervals = blockBootstrap(blocks, stated.map(name => quantileOf[name]))
  const ci95: Partial<Record<PercentileName, readonly [number, number]>> = {}
  stated.forEach((name, i) => {
    const interval = intervals[i]
    if (interval !== null && interval !== undefined) ci95[name] = interval
  })
  return {
    condition: arm,
    metric: measure.metric,
    unit: measure.unit,
    population: measure.population,
    n: pooled.length,
    nEff,
    ...found,
    mean: Number.isFinite(mean) ? mean : null,
    ...(Object.keys(censoredAbove).length > 0 && { censoredAbove }),
    ...(Object.keys(ci95).length > 0 && { ci95 })
  }
}
