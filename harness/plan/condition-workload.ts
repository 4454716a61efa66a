import type { Condition, StreamsWorkload } from '../types.js'

/** The streams of a condition: the run's, with what it changes. */
export function workloadOf (workload: StreamsWorkload, { workload: overrides }: Pick<Condition, 'workload'>): StreamsWorkload {
  return { ...workload, ...overrides }
}

/** Of each condition; the run's own where none is given. */
export function workloadsOf (workload: StreamsWorkload, conditions: ReadonlyArray<Pick<Condition, 'workload'>>): readonly [StreamsWorkload, ...StreamsWorkload[]] {
  const [first, ...more] = conditions.map(condition => workloadOf(workload, condition))
  return first === undefined ? [workload] : [first, ...more]
}

/** `-np`: one server for all conditions that do not name their own. */
export function slotsFor (workload: StreamsWorkload, conditions: ReadonlyArray<Pick<Condition, 'workload'>>, condition: Pick<Condition, 'workload'> = {}): number {
  return workloadOf(workload, condition).slots ?? Math.max(...workloadsOf(workload, conditions).map(({ clients }) => clients))
}
