import type { Schedule } from './schedule.js'
import { Traffic } from './testing-traffic.js'
import type { SimulatedCall, TrafficOptions } from './testing-traffic.js'

export interface SimulationOptions extends TrafficOptions {
  /** Work per call varies uniformly by ± this share. */
  readonly noise: number
  /** Calls per second that the whole server answers at a time; the more it works on, the slower each. */
  readonly capacityPerSecond: (atMs: number) => number
  readonly placesOf?: (random: () => number) => number
}

interface Job { readonly call: number, readonly work: number, readonly places: number, left: number, firstByteAtMs?: number }

/**
 * A server that shares one machine among its slots (processor sharing: throughput is flat over concurrency). The first byte of a call comes
 * after 40 % of its work: 0.1 s alone and 0.4 s among four at 4 calls/s.
 */
export function simulate (options: SimulationOptions): { calls: SimulatedCall[], maxTaken: number, schedule: Schedule } {
  const jobs: Job[] = []
  let nowMs = 0
  let maxTaken = 0
  const traffic = new Traffic(options, (call, { places }) => {
    const work = 1 + (traffic.random() * 2 - 1) * options.noise
    jobs.push({ call, work, places, left: work })
    maxTaken = Math.max(maxTaken, jobs.reduce((sum, job) => sum + job.places, 0))
  })

  while (traffic.nextAtMs < Infinity || jobs.length > 0) {
    const workPerMs = jobs.length === 0 ? 0 : options.capacityPerSecond(nowMs) / 1000 / jobs.length
    const nextStepMs = Math.min(Infinity, ...jobs.map(job => untilStep(job) / workPerMs))
    const arrives = traffic.nextAtMs < Infinity && traffic.nextAtMs - nowMs <= nextStepMs
    const stepMs = arrives ? traffic.nextAtMs - nowMs : nextStepMs
    nowMs = arrives ? traffic.nextAtMs : nowMs + stepMs
    for (const job of jobs) job.left -= stepMs * workPerMs
    if (arrives) {
      traffic.arrive(options.placesOf?.(traffic.random) ?? 1)
      continue
    }
    for (const job of [...jobs]) {
      if (job.firstByteAtMs === undefined && job.left <= job.work * 0.6 + 1e-9) job.firstByteAtMs = nowMs
      if (job.left > 1e-9) continue
      jobs.splice(jobs.indexOf(job), 1)
      traffic.over(job.call, job.firstByteAtMs ?? nowMs, nowMs)
    }
  }
  return { calls: traffic.calls, maxTaken, schedule: traffic.schedule }
}

function untilStep (job: Job): number {
  return job.firstByteAtMs === undefined ? Math.max(0, job.left - job.work * 0.6) : Math.max(0, job.left)
}

export interface SimulationSummary {
  /** Calls per second of [fromMs, toMs) whose first byte came within the limit. */
  readonly goodPerSecond: number
  readonly answered: number
  readonly refused: number
  readonly ttftP95Ms: number
}

/** What became of the calls that arrived in [fromMs, toMs). */
export function summarise (calls: readonly SimulatedCall[], limitMs: number, fromMs: number, toMs: number): SimulationSummary {
  const offered = calls.filter(call => call.arrivedAtMs >= fromMs && call.arrivedAtMs < toMs)
  const ttftsMs = offered.flatMap(call => call.firstByteAtMs === undefined ? [] : [call.firstByteAtMs - call.arrivedAtMs]).sort((a, b) => a - b)
  return {
    goodPerSecond: ttftsMs.filter(ttftMs => ttftMs <= limitMs).length / (toMs - fromMs) * 1000,
    answered: ttftsMs.length,
    refused: offered.length - ttftsMs.length,
    ttftP95Ms: ttftsMs[Math.min(ttftsMs.length - 1, Math.floor(ttftsMs.length * 0.95))] ?? NaN
  }
}
