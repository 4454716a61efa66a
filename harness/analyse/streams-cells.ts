import type { Cell, GroupDeltas, StreamsPlan } from '../types.js'
import { blockMeasure, cellOf, type Measure } from './cell.js'
import { ofCondition } from './gate.js'
import { latencyMs, tokensPerDecode, ttftMs, wholeRate, type StreamsView } from './streams-summary.js'
import { judgedSeconds } from './window.js'

const answered = (view: StreamsView) => view.judged.filter(call => call.outcome === 'answered')

/** µs of a counter per second of the load, as milliseconds. */
function perSecond (metric: string, counter: keyof GroupDeltas): Measure<StreamsView> {
  return blockMeasure(metric, 'ms/s', ({ block, summary }) => {
    const usec = summary.group[counter]
    const seconds = judgedSeconds(block)
    return usec === undefined || !(seconds > 0) ? null : usec / 1000 / seconds
  })
}

const measures: ReadonlyArray<Measure<StreamsView>> = [
  { metric: 'itl', unit: 'ms', population: 'answered', samples: view => view.gapsMs, floorsOn: 'all' },
  { metric: 'ttft', unit: 'ms', population: 'answered', samples: view => answered(view).flatMap(ttftMs) },
  { metric: 'request-latency', unit: 'ms', population: 'answered', samples: view => answered(view).map(latencyMs) },
  blockMeasure('tokens-per-second', 'tokens/s', view => wholeRate(view.summary)),
  blockMeasure('start-to-first-token', 'ms', view => view.summary.startToFirstTokenMs),
  blockMeasure('tokens-per-decode', 'tokens', view => tokensPerDecode(view.block)),
  blockMeasure('cpus-used', 'CPUs', view => view.summary.cpusUsed),
  blockMeasure('server-cpu-per-token', 'µs', view => view.summary.serverCpuUsecPerToken),
  blockMeasure('throttled-periods', 'ratio', ({ summary: { group } }) => group.periods !== undefined && group.periods > 0 ? (group.throttledPeriods ?? 0) / group.periods : null),
  perSecond('throttled-time', 'throttledUsec'),
  perSecond('cpu-full', 'cpuFullUsec'),
  blockMeasure('refaulted-pages', 'pages', view => view.summary.group.refaultedPages),
  perSecond('memory-full', 'memoryFullUsec'),
  blockMeasure('read-bytes', 'bytes', view => view.summary.group.readBytes ?? view.summary.readBytes),
  blockMeasure('oom-kills', 'kills', view => view.summary.group.oomKills)
]

/** One cell for each condition and measure that has samples, over the valid blocks. */
export function streamsCells ({ conditions, workload }: StreamsPlan, views: readonly StreamsView[]): Cell[] {
  return conditions.flatMap(({ id }) => {
    const own = ofCondition(views, id).sort((a, b) => a.summary.index - b.summary.index)
    return measures.flatMap(measure => cellOf(id, measure, own, workload.patienceSeconds * 1000) ?? [])
  })
}
