import { ofCondition } from '../gate.js'
import { ratio } from '../ratio.js'
import type { StreamsView } from '../streams-summary.js'
import { unbounded } from './leg.js'
import { withIt, without } from './streams-checks.js'
import { throttlingCure } from './throttling-cure.js'

const source = 'cpu.stat of the group (nr_bursts)'

/** Mitigation `cpu-burst`: quota that was left over is saved up for the next call. */
export const cpuBurst = throttlingCure({
  id: 'cpu-burst-carries-a-call',
  statement: 'Quota saved up while the server is idle carries a whole call through: its stops and the tail of the gaps go, at the same mean quota',
  explanation: 'A server that is idle between calls leaves most of its quota unused, and still each call is stopped when it needs more than one period\'s quota at once. ' +
    'With cpu.max.burst what was left over is kept, up to the burst, and spent on the next call: over time the server gets no more CPU than its quota, but it gets it when a call is there.',
  isSteady: false,
  mechanism: [
    { id: 'bursts-after', metric: 'bursts', what: 'nr_bursts with it ÷ calls: most calls spend what was saved up', source, value: views => ratio(bursts(views, withIt), ofCondition(views, withIt).reduce((sum, { judged }) => sum + judged.length, 0)), band: () => [0.5, unbounded], quiet: null },
    { id: 'bursts-before', metric: 'bursts', what: 'nr_bursts without it', source, value: views => bursts(views, without), band: () => [0, 0], quiet: null }
  ]
})

/** Null when a block's kernel has no such counter (before Linux 5.14). */
function bursts (views: readonly StreamsView[], condition: string): number | null {
  const grown = ofCondition(views, condition).map(({ block: { evidence: { groupCountersAtStart: start, groupCountersAtEnd: end } } }) => {
    const [from, to] = [start?.['cpu.stat.nr_bursts'], end?.['cpu.stat.nr_bursts']]
    return from === undefined || to === undefined ? null : to - from
  })
  return grown.length === 0 || grown.includes(null) ? null : grown.reduce<number>((sum, value) => sum + (value ?? 0), 0)
}
