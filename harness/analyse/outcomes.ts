import type { OutcomeSpec, Plan } from '../types.js'

/** What a comparison of policies under overload is judged by, unless the plan says otherwise. One primary; the rest are Holm-adjusted among themselves. */
export const defaultOutcomes: readonly OutcomeSpec[] = [
  { metric: 'good-per-second', unit: 'requests/s', better: 'higher', primary: true, matters: 1.1 },
  { metric: 'good-per-capacity', unit: 'ratio', better: 'higher', primary: false, matters: 1.1 },
  { metric: 'ttft-answered-p50', unit: 'ms', better: 'lower', primary: false, matters: 1.1 },
  { metric: 'ttft-answered-p95', unit: 'ms', better: 'lower', primary: false, matters: 1.1 },
  { metric: 'tokens-per-second', unit: 'tokens/s', better: 'higher', primary: false, matters: 1.1 },
  { metric: 'capacity', unit: 'answers/s', better: 'higher', primary: false, matters: 1.1 },
  { metric: 'server-cpu-per-token', unit: 'µs', better: 'lower', primary: false, matters: 1.1 }
]

/** A closed loop is answered as fast as it asks: there the time to the first token is what a better choice of slots changes. */
export const outcomesOfConversations: readonly OutcomeSpec[] = defaultOutcomes.map(spec => ({ ...spec, primary: spec.metric === 'ttft-answered-p50' }))

/** Of streams, the metrics that an experiment may name as its primary outcome: the first is the default. */
export const streamsPrimaries = ['itl-p99', 'tokens-per-second', 'ttft-p50', 'start-to-first-token'] as const
export type StreamsPrimary = typeof streamsPrimaries[number]

/** Beside `good-per-capacity` where lengths differ: answers counted by their work. */
export const workOutcome: OutcomeSpec = { metric: 'good-work-per-capacity', unit: 'ratio', better: 'higher', primary: false, matters: 1.1 }

/** Beside `good-per-capacity` where all calls are alike: what of llama-server's CPU time good answers got. */
export const cpuTimeOutcome: OutcomeSpec = { metric: 'good-cpu-time', unit: 'ratio', better: 'higher', primary: false, matters: 1.1 }

/** Not judged among the others: the control of a comparison under overload, equal where the machine is. */
export const machineOutcome: OutcomeSpec = { metric: 'closed-loop-cpu-per-token', unit: 'µs', better: 'lower', primary: false, matters: 1.1 }

const streamsOutcomes: readonly OutcomeSpec[] = [
  { metric: 'itl-p99', unit: 'ms', better: 'lower', primary: false, matters: 1.1 },
  { metric: 'tokens-per-second', unit: 'tokens/s', better: 'higher', primary: false, matters: 1.1 },
  { metric: 'itl-p50', unit: 'ms', better: 'lower', primary: false, matters: 1.1 },
  { metric: 'ttft-p50', unit: 'ms', better: 'lower', primary: false, matters: 1.1 },
  { metric: 'server-cpu-per-token', unit: 'µs', better: 'lower', primary: false, matters: 1.1 }
]

/** Of a load without a warm-up; no outcome where that is not what is asked. */
const coldStart: OutcomeSpec = { metric: 'start-to-first-token', unit: 'ms', better: 'lower', primary: false, matters: 1.1 }

/** Outcomes of a comparison under streams. */
export function outcomesOfStreams (primary: StreamsPrimary): OutcomeSpec[] {
  const all = primary === coldStart.metric ? [coldStart, ...streamsOutcomes] : streamsOutcomes
  return all.map(spec => ({ ...spec, primary: spec.metric === primary }))
}

/** What a sweep may be about; the first two unless its file says. */
export const sweepMetrics = ['itl-p99', 'tokens-per-second', 'itl-p50', 'ttft-p50', 'server-cpu-per-token', 'request-latency-p50', 'start-to-first-token'] as const
export type SweepMetric = typeof sweepMetrics[number]

const requestLatency: OutcomeSpec = { metric: 'request-latency-p50', unit: 'ms', better: 'lower', primary: false, matters: 1.1 }

/** A dose-response has no primary: its predictions carry it. */
export function outcomesOfSweep (metrics: readonly SweepMetric[] = sweepMetrics.slice(0, 2)): OutcomeSpec[] {
  return metrics.flatMap(metric => [...streamsOutcomes, requestLatency, coldStart].find(spec => spec.metric === metric) ?? [])
}

/** The plan's specification of a metric, else the default one (never primary when the plan names another primary). */
export function outcomeSpec (plan: Plan, metric: string): OutcomeSpec {
  const planned = plan.outcomes.find(spec => spec.metric === metric)
  if (planned !== undefined) return planned
  const usual = defaultOutcomes.find(spec => spec.metric === metric)
  if (usual === undefined) throw new Error(`no outcome '${metric}' in the plan nor among the known ones: ${defaultOutcomes.map(spec => spec.metric).join(', ')}`)
  return { ...usual, primary: usual.primary && !plan.outcomes.some(spec => spec.primary) }
}
