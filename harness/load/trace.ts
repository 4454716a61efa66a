import type { Burst, WorkloadClass } from '../types.js'
import { deriveSeed, makeRandom, type Random } from './random.js'

export interface TraceOptions {
  readonly seed: number
  readonly ratePerSecond: number
  readonly seconds: number
  /** Shares are taken in proportion to their sum. */
  readonly classes: readonly WorkloadClass[]
  /** More arrivals; what of it would be after `seconds` is left out. */
  readonly burst?: Burst
}

/** One intended send. */
export interface TraceEntry {
  /** 0-based, in order of time. */
  readonly seq: number
  /** After the start of the load, milliseconds. */
  readonly atMs: number
  readonly cls: string
  readonly promptSeed: number
}

const ARRIVALS = 1
const CLASSES = 2
const BURST_ARRIVALS = 3
const BURST_CLASSES = 4

/**
 * Poisson arrivals in [0, seconds) given their number, rate × seconds to the nearest whole: independent and uniform, in order (the order statistics
 * property of the Poisson process). Left to chance, the number in a block of 13 s at 4/s would vary by a seventh, and with it by how much
 * a block is overloaded. A class is drawn for each; the same options give the same trace on every machine. Arrivals and classes have streams
 * of their own: other shares leave the times as they are, and a burst those of the other calls.
 */
export function makeTrace ({ seed, ratePerSecond, seconds, classes, burst }: TraceOptions): TraceEntry[] {
  if (!(ratePerSecond > 0 && ratePerSecond < Infinity)) throw new RangeError(`ratePerSecond is ${ratePerSecond}; it must be a number above 0`)
  if (!(seconds > 0 && seconds < Infinity)) throw new RangeError(`seconds is ${seconds}; it must be a number above 0`)
  const arrivals = poisson({ ratePerSecond, fromSeconds: 0, seconds }, classes, makeRandom(seed, ARRIVALS), makeRandom(seed, CLASSES))
  if (burst !== undefined) {
    const inBurst = classes.map(cls => ({ ...cls, share: burst.shares[cls.name] ?? 0 }))
    const extra = poisson(burst, inBurst, makeRandom(seed, BURST_ARRIVALS), makeRandom(seed, BURST_CLASSES))
    arrivals.push(...extra.filter(({ atMs }) => atMs < seconds * 1000))
    arrivals.sort((a, b) => a.atMs - b.atMs)
  }
  return arrivals.map(({ atMs, cls }, seq) => ({ seq, atMs, cls, promptSeed: deriveSeed(seed, seq) }))
}

/** In order. */
function poisson ({ ratePerSecond, fromSeconds, seconds }: Omit<Burst, 'shares'>, classes: readonly WorkloadClass[], random: Random, ofClasses: Random): Array<Pick<TraceEntry, 'atMs' | 'cls'>> {
  const nextClass = classChooser(classes, ofClasses)
  const times = Float64Array.from({ length: Math.round(ratePerSecond * seconds) }, () => (fromSeconds + random() * seconds) * 1000).sort()
  return Array.from(times, atMs => ({ atMs, cls: nextClass().name }))
}

/** Draws classes by their shares. Throws a RangeError when no class has a share. */
export function classChooser (classes: readonly WorkloadClass[], random: Random): () => WorkloadClass {
  const drawable = classes.filter(cls => cls.share > 0)
  const last = drawable.at(-1)
  if (last === undefined) throw new RangeError('classes: no class has a share above 0; there must be at least one')
  const total = drawable.reduce((sum, cls) => sum + cls.share, 0)
  return () => {
    let left = random() * total
    for (const cls of drawable) {
      left -= cls.share
      if (left < 0) return cls
    }
    return last
  }
}
