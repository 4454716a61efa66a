import type { Entry } from './schedule-entry.js'
import type { StartEffect } from './schedule-events.js'

interface Granted {
  readonly places: number
  readonly slot: number | undefined
  readonly feeds: boolean
  readonly predictedCachedTokens: number | undefined
  readonly overlaps: number
  readonly atMs: number
}

/** What a call is told when it may start; what was predicted of it is of its arrival. */
export function startEffect ({ id, interval, predictedWaitMs, predictedFirstByteMs, predictedFinishMs, atMs: arrivedAtMs }: Entry, { places, slot, feeds, predictedCachedTokens, overlaps, atMs }: Granted): StartEffect {
  return {
    type: 'start',
    id,
    places,
    ...(slot === undefined ? {} : { slot }),
    ...(feeds ? { feeds } : {}),
    ...(predictedCachedTokens === undefined ? {} : { predictedCachedTokens }),
    ...(overlaps === 0 ? {} : { overlaps }),
    queueWaitMs: atMs - arrivedAtMs,
    predictedWaitMs,
    predictedTtftMs: predictedFirstByteMs,
    ...(interval === undefined ? {} : { predictedTtftLowMs: interval.lowMs, predictedTtftHighMs: interval.highMs }),
    predictedFinishMs
  }
}
