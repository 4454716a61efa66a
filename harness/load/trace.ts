import { shuffled } from '../stats/random.js'
import type { Burst, PromptPool, WorkloadClass } from '../types.js'
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
/** Of a call's seed: which prompt of its class's pool. */
const POOLED = 3
/** Beyond every number of an arrival: numbers of pooled prompts, and of the calls of one arrival. */
const POOLS = 500_000_000
const COPIES = 700_000_000
/** Between calls that come together, milliseconds: opening so many connections beside the gateway stops the generator for 5 to 9 ms now and then, and it must not be late for long. */
const TOGETHER_GAP_MS = 4
/** Prompts that a pool may have. */
const LARGEST_POOL = 1_000_000

/**
 * Poisson arrivals in [0, seconds) given their number, rate × seconds to the nearest whole (of each part, where a burst parts the load): independent and uniform, in order (the order statistics
 * property of the Poisson process). Left to chance, the number in a block of 13 s at 4/s would vary by a seventh, and with it by how much
 * a block is overloaded. Each class has its share of them, to the nearest whole, in random order, for the same reason: of 30 calls with 5 % long ones every
 * fifth trace would have none; and a burst parts the load, so that as many of the other calls come before it, per second, as from then on. The same options
 * give the same trace on every machine. Arrivals and classes have streams of their own: other shares leave the times as they are. An arrival of a
 * class whose calls come together is as many calls.
 */
export function makeTrace ({ seed, ratePerSecond, seconds, classes, burst }: TraceOptions): TraceEntry[] {
  if (!(ratePerSecond > 0 && ratePerSecond < Infinity)) throw new RangeError(`ratePerSecond is ${ratePerSecond}; it must be a number above 0`)
  if (!(seconds > 0 && seconds < Infinity)) throw new RangeError(`seconds is ${seconds}; it must be a number above 0`)
  const [times, ofClasses] = [makeRandom(seed, ARRIVALS), makeRandom(seed, CLASSES)]
  const partsAt = burst === undefined || burst.fromSeconds <= 0 || burst.fromSeconds >= seconds ? [0, seconds] : [0, burst.fromSeconds, seconds]
  const arrivals = partsAt.slice(1).flatMap((to, i) => poisson({ ratePerSecond, fromSeconds: partsAt[i] ?? 0, seconds: to - (partsAt[i] ?? 0) }, classes, times, ofClasses))
  if (burst !== undefined) {
    const inBurst = classes.map(cls => ({ ...cls, share: burst.shares[cls.name] ?? 0 }))
    const extra = poisson(burst, inBurst, makeRandom(seed, BURST_ARRIVALS), makeRandom(seed, BURST_CLASSES))
    arrivals.push(...extra.filter(({ atMs }) => atMs < seconds * 1000))
    arrivals.sort((a, b) => a.atMs - b.atMs)
  }
  const promptsOf = promptChooser(seed, classes)
  const calls = arrivals.flatMap(({ atMs, cls }, index) => {
    const prompts = promptsOf(cls, index)
    // Those that come together end with the load at the latest: it would judge a part of them.
    const fromMs = prompts.length === 1 ? atMs : Math.max(0, Math.min(atMs, seconds * 1000 - prompts.length * TOGETHER_GAP_MS))
    return prompts.map((promptSeed, copy) => ({ atMs: fromMs + copy * TOGETHER_GAP_MS, cls, promptSeed }))
  })
  return calls.sort((a, b) => a.atMs - b.atMs).map((call, seq) => ({ seq, ...call }))
}

/** Seeds of the prompts of an arrival: one, or as many as come together. */
function promptChooser (seed: number, classes: readonly WorkloadClass[]): (cls: string, arrival: number) => number[] {
  const pools = new Map(classes.map(({ name, prompts }) => [name, prompts === undefined ? [] : cumulativeZipf(prompts)]))
  const togetherOf = new Map(classes.map(({ name, together }) => [name, together]))
  const pooled = (cls: string, own: number): number => {
    const weights = pools.get(cls) ?? []
    if (weights.length === 0) return own
    const drawn = makeRandom(own, POOLED)() * (weights.at(-1) ?? 0)
    return deriveSeed(seed, POOLS + [...pools.keys()].indexOf(cls) * LARGEST_POOL + weights.findIndex(upTo => drawn < upTo))
  }
  return (cls, arrival) => {
    const first = pooled(cls, deriveSeed(seed, arrival))
    const { calls = 1, prompt = 'one' } = togetherOf.get(cls) ?? {}
    return Array.from({ length: calls }, (_, copy) => prompt === 'one' || copy === 0 ? first : pooled(cls, deriveSeed(first, COPIES + copy)))
  }
}

/** Sums of k^-zipf for k from 1. */
function cumulativeZipf ({ pool, zipf }: PromptPool): number[] {
  let sum = 0
  return Array.from({ length: pool }, (_, index) => { sum += (index + 1) ** -zipf; return sum })
}

/** In order. */
function poisson ({ ratePerSecond, fromSeconds, seconds }: Omit<Burst, 'shares'>, classes: readonly WorkloadClass[], random: Random, ofClasses: Random): Array<Pick<TraceEntry, 'atMs' | 'cls'>> {
  const times = Float64Array.from({ length: Math.round(ratePerSecond * seconds) }, () => (fromSeconds + random() * seconds) * 1000).sort()
  const names = shuffled(ofClasses, byShare(classes, times.length))
  return Array.from(times, (atMs, i) => ({ atMs, cls: names[i] ?? '' }))
}

/** So many names of classes, each as often as its share says; what rounding leaves over goes to the largest remainders. */
function byShare (classes: readonly WorkloadClass[], count: number): string[] {
  const drawable = drawableOf(classes)
  const total = drawable.reduce((sum, cls) => sum + cls.share, 0)
  const parts = drawable.map(({ name, share }) => ({ name, share, whole: Math.floor(count * share / total), rest: (count * share / total) % 1 }))
  const left = count - parts.reduce((sum, { whole }) => sum + whole, 0)
  // Of equal remainders the rarer class gets it: there it is more.
  const favoured = [...parts].sort((a, b) => Math.abs(b.rest - a.rest) > 1e-9 ? b.rest - a.rest : a.share - b.share).slice(0, left)
  return parts.flatMap(part => Array<string>(part.whole + (favoured.includes(part) ? 1 : 0)).fill(part.name))
}

function drawableOf (classes: readonly WorkloadClass[]): readonly [WorkloadClass, ...WorkloadClass[]] {
  const [first, ...rest] = classes.filter(cls => cls.share > 0)
  if (first === undefined) throw new RangeError('classes: no class has a share above 0; there must be at least one')
  return [first, ...rest]
}

/** A class rarer than one in so many is not in every deck. */
const LARGEST_DECK = 50

/** Calls of a closed loop in which the rarest class comes once. */
export function deckLength (classes: readonly WorkloadClass[]): number {
  const shares = drawableOf(classes).map(({ share }) => share)
  return Math.min(LARGEST_DECK, Math.round(shares.reduce((sum, share) => sum + share, 0) / Math.min(...shares)))
}

/**
 * Classes for a closed loop, deck by deck in random order: after each deck every class has been dealt as often as its share says, to the nearest whole. Drawn one by one, a tenth of long calls
 * would be none or a quarter of sixteen, and the capacity with it. Throws a RangeError when no class has a share.
 */
export function classDealer (classes: readonly WorkloadClass[], random: Random): () => WorkloadClass {
  const [first, ...rest] = drawableOf(classes)
  const drawable = [first, ...rest]
  const total = drawable.reduce((sum, { share }) => sum + share, 0)
  const length = deckLength(classes)
  const dealt = new Map<WorkloadClass, number>()
  let due = 0
  let deck: WorkloadClass[] = []
  return () => {
    while (deck.length === 0) {
      due += length
      deck = shuffled(random, drawable.flatMap(cls => {
        const before = dealt.get(cls) ?? 0
        const now = Math.round(due * cls.share / total)
        dealt.set(cls, now)
        return Array<WorkloadClass>(now - before).fill(cls)
      }))
    }
    return deck.pop() ?? first
  }
}
