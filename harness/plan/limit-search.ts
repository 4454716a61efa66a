/** The binary search for the memory limit at which a load begins to read its model again and again. Pure. */
import type { BlockEvidence, LimitSearch, StreamsCalibration } from '../types.js'
import { pageBytes } from '../analyse/page-bytes.js'
import { bytesOf } from '../knobs/values.js'
import type { SweepFile } from './experiment-file.js'

/** Limits are whole multiples of this: the kernel rounds them down to pages. */
const step = 65_536
/** Of what the undisturbed load touches of its model: a load that is short of memory reads all of it again for each token. */
const refaultedShare = 0.5

/** One step that was made. */
export interface Probe {
  /** As the kernel had it. */
  readonly limitBytes: number
  readonly refaultedBytes: number
  readonly below: boolean
}

export interface Cliff {
  /** The largest limit seen below the cliff and the smallest one at which the load fits; absent: it was not seen between the ends of the search. */
  readonly belowBytes?: number
  readonly fitsBytes?: number
  readonly middleBytes: number
}

/** @returns undefined when the calibration has not seen what the load touches: then nothing can be told to be below a cliff */
export function searchOf (file: SweepFile['search'], { servers }: StreamsCalibration, model: string): LimitSearch | undefined {
  const touched = servers.find(server => server.model === model)?.touched
  if (file === undefined || touched === undefined) return undefined
  return {
    fromBytes: bytesOf('search.from', file.from, 1),
    toBytes: bytesOf('search.to', file.to, 1),
    probes: file.probes,
    refaultBytes: Math.round(touched.modelBytes * refaultedShare)
  }
}

/** What the next step's limit is, bytes. */
export function nextLimit (search: LimitSearch, probes: readonly Probe[]): number {
  const { middleBytes } = cliffOf(search, probes)
  return Math.round(middleBytes / step) * step
}

export function cliffOf (search: LimitSearch, probes: readonly Probe[]): Cliff {
  const below = probes.filter(probe => probe.below).map(probe => probe.limitBytes)
  const fits = probes.filter(probe => !probe.below).map(probe => probe.limitBytes)
  const [from, to] = [Math.max(search.fromBytes, ...below), Math.min(search.toBytes, ...fits)]
  return {
    ...(below.length === 0 ? {} : { belowBytes: from }),
    ...(fits.length === 0 ? {} : { fitsBytes: to }),
    middleBytes: (from + to) / 2
  }
}

/** Undefined when the block's group has no limit or no refault counter: it was no step of a search. */
export function probeOf ({ refaultBytes }: LimitSearch, { groupCountersAtStart: start, groupCountersAtEnd: end = {}, serverEnd }: BlockEvidence): Probe | undefined {
  const [limitBytes, refaults] = [end['memory.max'], end['memory.stat.workingset_refault_file']]
  if (limitBytes === undefined || refaults === undefined) return undefined
  const refaultedBytes = (refaults - (start?.['memory.stat.workingset_refault_file'] ?? refaults)) * pageBytes
  return { limitBytes, refaultedBytes, below: serverEnd !== undefined || refaultedBytes > refaultBytes }
}
