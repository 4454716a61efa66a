/** The names that people read, and what each metric means. */
import type { ContrastVerdict, Population, Result } from '../types.js'

interface MetricName {
  readonly label: string
  /** How it is measured, one sentence; printed in every report. */
  readonly definition: string
}

const METRICS: Readonly<Record<string, MetricName>> = {
  'good-per-second': { label: 'good requests/s', definition: 'Calls answered completely whose TTFT (scheduled) was at or under the limit of their class, per second of the judged window. All that was offered counts: refused, failed and unanswered calls are not good.' },
  'good-per-capacity': { label: 'good ÷ saturated capacity', definition: 'Good answers per second divided by the answers per second of short closed loops, measured in the same block on the same fresh server; both count an answer by the part of its life that lies inside the window. 1 would be a server that does nothing but good work.' },
  'good-work-per-capacity': { label: 'good work ÷ saturated capacity', definition: 'The same with each answer counted by its work, the seconds that it is predicted to take on an idle server, on both sides: where calls differ in length a server that answers only short ones has many answers and little work.' },
  'good-cpu-time': { label: 'good answers’ share of CPU time', definition: 'Good ÷ saturated capacity, with the capacity brought to the CPU time per token that llama-server took under the load of the same block. Where this is near 1 and that is not, a token cost more under the load than in the closed loops, by the machine or by the policy.' },
  capacity: { label: 'saturated capacity, answers/s', definition: 'Answers per second of a short closed loop directly at the server, all slots busy, before the load of each block and, where the server is idle soon, again after it: their mean.' },
  'offered-per-second': { label: 'offered requests/s', definition: 'Calls whose intended send time lies in the judged window, per second.' },
  'answered-per-second': { label: 'answers/s', definition: 'Calls of the judged window that were answered completely, per second.' },
  'good-share': { label: 'good ÷ offered', definition: 'Share of all offered calls that were good.' },
  'tokens-per-second': { label: 'tokens/s', definition: 'Content chunks received inside the judged window, per second.' },
  ttft: { label: 'TTFT', definition: 'Time to first token (scheduled): first non-empty content chunk minus the intended send time. A late sender cannot hide waiting time.' },
  'ttft-wire': { label: 'TTFT (wire)', definition: 'First non-empty content chunk minus the time the request was really sent.' },
  'request-latency': { label: 'request latency', definition: 'End of the answer minus the intended send time.' },
  'start-to-first-token': { label: 'start to first token', definition: 'From the launch of llama-server until it says that it is healthy, plus the TTFT of its first call; what the harness does in between is not in it.' },
  itl: { label: 'inter-token gap', definition: 'Every gap between two content chunks, pooled over the calls.' },
  tpot: { label: 'time per output token', definition: '(last chunk − first chunk) ÷ (chunks − 1) of each call; undefined below two chunks.' },
  'refusal-cost': { label: 'time to refusal', definition: 'Refusal received minus the time the request was really sent: what a caller pays for a no.' },
  'queue-wait': { label: 'wait in the gateway', definition: 'Time in the queue of the gateway, from its records, of calls that were answered completely.' },
  'ttft-prediction-error-0': { label: 'error of predicted TTFT, no line', definition: 'How far the TTFT that the gateway predicted at a call’s arrival was from the real one, either way, by its records; of calls that met no line, and in the rows below behind one call, two or three, and more.' },
  'ttft-prediction-error-1': { label: 'error of predicted TTFT, 1 in front', definition: 'The same behind one call.' },
  'ttft-prediction-error-2': { label: 'error of predicted TTFT, 2–3 in front', definition: 'The same behind two or three calls.' },
  'ttft-prediction-error-4': { label: 'error of predicted TTFT, 4 or more in front', definition: 'The same behind four calls or more.' },
  'backlog-growth': { label: 'growth of the backlog', definition: 'How fast the number of calls without an answer grows while the load lasts.' },
  'dispatch-delay': { label: 'dispatch delay', definition: 'Really sent minus intended: the honesty of the load generator.' },
  'tokens-per-decode': { label: 'tokens per decode call', definition: 'Tokens that llama-server wrote ÷ calls of llama_decode() during the load, those that computed prompts included (its own /metrics).' },
  'cpus-used': { label: 'CPUs used', definition: 'CPU time of llama-server divided by wall time while the streams ran.' },
  'throttled-periods': { label: 'throttled periods', definition: 'Share of the CPU quota’s periods in which llama-server’s control group was throttled (cpu.stat nr_throttled ÷ nr_periods).' },
  'throttled-time': { label: 'throttled time', definition: 'cpu.stat throttled_usec per second of the load; it is summed over CPUs and can exceed the wall time.' },
  'cpu-full': { label: 'stalled for CPU (PSI full)', definition: 'Growth of the control group’s cpu.pressure full per second: tasks could run and none did.' },
  'refaulted-pages': { label: 'refaulted pages', definition: 'Pages of files that were evicted and read again during the load (memory.stat workingset_refault_file).' },
  'memory-full': { label: 'stalled for memory (PSI full)', definition: 'Growth of the control group’s memory.pressure full per second of the load.' },
  'read-bytes': { label: 'read from storage', definition: 'Bytes that llama-server’s control group, else its process, read from storage during the load; page cache hits are not in it.' },
  'oom-kills': { label: 'OOM kills', definition: 'memory.events oom_kill of the control group since it was made.' },
  'server-cpu-per-token': { label: 'server CPU per token', definition: 'CPU time of llama-server per token it generated, work on calls that only wait in it included.' },
  'closed-loop-cpu-per-token': { label: 'server CPU per token, closed loop', definition: 'The same in the closed loops at full slots beside the load of each block: shows whether the machine itself got faster.' }
}

const STATISTIC = /-(p50|p95|p99|mean)$/
export type Statistic = 'p50' | 'p95' | 'p99' | 'mean'

/** `ttft-p95` is the p95 of `ttft`; a metric without such an ending has none. */
export function splitMetric (metric: string): { readonly base: string, readonly statistic: Statistic | undefined } {
  const found = STATISTIC.exec(metric)?.[1]
  if (found !== 'p50' && found !== 'p95' && found !== 'p99' && found !== 'mean') return { base: metric, statistic: undefined }
  return { base: withoutPopulation(metric.replace(STATISTIC, '')), statistic: found }
}

/** Some names of outcomes carry the population, which is said beside them anyway: `ttft-answered-p95` is the p95 of `ttft`. */
function withoutPopulation (metric: string): string {
  return metric.replace(/-answered$/, '')
}

/** A metric without an entry is shown by its own name. */
export function metricLabel (metric: string): string {
  const { base, statistic } = splitMetric(metric)
  const label = METRICS[metric]?.label ?? METRICS[base]?.label ?? base.replaceAll('-', ' ')
  return statistic === undefined ? label : `${label} ${statistic}`
}

export function metricDefinition (metric: string): string | undefined {
  return METRICS[splitMetric(metric).base]?.definition
}

const POPULATIONS: Readonly<Record<Population, string>> = {
  offered: 'all offered',
  answered: 'answered only',
  refused: 'refused only',
  block: 'per block'
}

export function populationLabel (population: Population): string {
  return POPULATIONS[population]
}

/** In the order of the plan. */
export function conditionIds ({ conditions }: Pick<Result, 'conditions'>): string[] {
  return conditions.map(({ id }) => id)
}

export function verdictWord (verdict: ContrastVerdict): string {
  return verdict.toUpperCase()
}

export const PERCENTILES = ['p50', 'p95', 'p99'] as const
export type Percentile = typeof PERCENTILES[number]
