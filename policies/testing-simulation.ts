import { Schedule } from './schedule.js'
import type { Effect } from './schedule-events.js'
import type { ScheduleOptions } from './schedule.js'

/** Seeded uniform numbers in [0, 1) (mulberry32). */
export function seededRandom (seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

export interface SimulationOptions extends ScheduleOptions {
  readonly seed: number
  readonly arrivalsPerSecond: number
  readonly durationMs: number
  /** Work per call varies uniformly by ± this share. */
  readonly noise: number
  /** Calls per second that the whole server answers at a time; the more it works on, the slower each. */
  readonly capacityPerSecond: (atMs: number) => number
  readonly placesOf?: (random: () => number) => number
}

export interface SimulatedCall {
  readonly arrivedAtMs: number
  readonly refused?: string
  readonly retryAfterMs?: number
  readonly startedAtMs?: number
  readonly firstByteAtMs?: number
  readonly overAtMs?: number
}

interface Job { readonly id: string, readonly call: number, readonly work: number, readonly places: number, left: number, firstByteAtMs?: number }

/**
 * A server that shares one machine among its slots (processor sharing: throughput is flat over concurrency) under a schedule
 * and Poisson arrivals. The first byte of a call comes after 40 % of its work: 0.1 s alone and 0.4 s among four at 4 calls/s.
 */
export function simulate (options: SimulationOptions): { calls: SimulatedCall[], maxTaken: number, schedule: Schedule } {
  const random = seededRandom(options.seed)
  const schedule = new Schedule(options)
  const calls: SimulatedCall[] = []
  const jobs: Job[] = []
  let nowMs = 0
  let maxTaken = 0
  const nextGapMs = (): number => -Math.log(1 - random()) / options.arrivalsPerSecond * 1000
  let arrivalAtMs = nextGapMs()

  function apply (effects: readonly Effect[]): void {
    for (const effect of effects) {
      const index = Number(effect.id)
      const call = calls[index]
      if (call === undefined) throw new Error(`effect for the unknown call ${effect.id}`)
      if (effect.type === 'refuse') {
        calls[index] = { ...call, refused: effect.reason, retryAfterMs: effect.retryAfterMs }
      } else {
        const work = 1 + (random() * 2 - 1) * options.noise
        jobs.push({ id: effect.id, call: index, work, places: effect.places, left: work })
        calls[index] = { ...call, startedAtMs: nowMs }
      }
    }
    maxTaken = Math.max(maxTaken, jobs.reduce((sum, job) => sum + job.places, 0))
  }

  while (arrivalAtMs < options.durationMs || jobs.length > 0) {
    const workPerMs = jobs.length === 0 ? 0 : options.capacityPerSecond(nowMs) / 1000 / jobs.length
    const nextStepMs = Math.min(Infinity, ...jobs.map(job => untilStep(job) / workPerMs))
    const arrives = arrivalAtMs < options.durationMs && arrivalAtMs - nowMs <= nextStepMs
    const stepMs = arrives ? arrivalAtMs - nowMs : nextStepMs
    nowMs += stepMs
    for (const job of jobs) job.left -= stepMs * workPerMs
    if (arrives) {
      calls.push({ arrivedAtMs: nowMs })
      apply(schedule.on({ type: 'arrive', id: String(calls.length - 1), places: options.placesOf?.(random) ?? 1, atMs: nowMs, sinceMs: nowMs }))
      arrivalAtMs += nextGapMs()
      continue
    }
    for (const job of [...jobs]) {
      if (job.firstByteAtMs === undefined && job.left <= job.work * 0.6 + 1e-9) job.firstByteAtMs = nowMs
      if (job.left > 1e-9) continue
      jobs.splice(jobs.indexOf(job), 1)
      const firstByteAtMs = job.firstByteAtMs ?? nowMs
      const call = calls[job.call]
      if (call !== undefined) calls[job.call] = { ...call, firstByteAtMs, overAtMs: nowMs }
      schedule.on({ type: 'firstByte', id: job.id, firstByteAtMs, atMs: nowMs })
      apply(schedule.on({ type: 'released', id: job.id, atMs: nowMs }))
    }
  }
  return { calls, maxTaken, schedule }
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
