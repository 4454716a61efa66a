/** Figures of blocks under a memory limit, each null where one of the valid blocks lacks it. */
import type { OsSample } from '../../types.js'
import type { StreamsView } from '../streams-summary.js'
import { ofCondition } from '../gate.js'
import type { Figure } from '../contention.js'
import { pageBytes } from '../page-bytes.js'
import { ratio } from '../ratio.js'

/** Largest over the blocks of all conditions named. */
export function largestOf (views: readonly StreamsView[], conditions: readonly string[], figure: Figure): number | null {
  const values = conditions.flatMap(condition => ofCondition(views, condition).map(figure))
  return values.length === 0 || values.includes(null) ? null : Math.max(...values.flatMap(value => value ?? []))
}

export function smallestOf (views: readonly StreamsView[], conditions: readonly string[], figure: Figure): number | null {
  const largest = largestOf(views, conditions, view => { const value = figure(view); return value === null ? null : -value })
  return largest === null ? null : -largest
}

/** Growth of a counter of the group during the load. */
export function growth (counter: string): Figure {
  return ({ block: { evidence: { groupCountersAtStart: start = {}, groupCountersAtEnd: end = {} } } }) => {
    const [from, to] = [start[counter], end[counter]]
    return from === undefined || to === undefined ? null : to - from
  }
}

/** A counter or gauge of the group when the load was over. */
export function atEnd (counter: string): Figure {
  return ({ block }) => block.evidence.groupCountersAtEnd?.[counter] ?? null
}

export const refaultedBytes: Figure = view => {
  const pages = growth('memory.stat.workingset_refault_file')(view)
  return pages === null ? null : pages * pageBytes
}

/** Of the load, whether answered or not. */
export function tokensOf (view: StreamsView): number {
  return view.judged.reduce((sum, call) => sum + call.chunks, 0)
}

/** A prompt of one batch is one pass over the model and gives the first token, each further token is another. */
export const refaultedPerToken: Figure = view => ratio(refaultedBytes(view), tokensOf(view))

/** Of planned calls, those answered completely. */
export function answeredShare (planned: number): Figure {
  return view => view.summary.answered / planned
}

interface Growths { readonly readBytes: number, readonly refaultedBytes: number }

/** What `iostat` saw read from all disks, and what the group refaulted in the same time, between two samples by interpolation. Null where iostat did not run. */
function byIostat ({ block }: StreamsView): Growths | null {
  const iostat = block.tools?.iostat
  if (iostat === undefined) return null
  const points = block.samples.flatMap(({ atMs, cgroup }) => {
    const refaults = cgroup?.['memory.stat.workingset_refault_file']
    return refaults === undefined ? [] : [{ atMs, refaults }]
  })
  const [from, to] = [iostat.fromMs, iostat.toMs].map(atMs => valueAt(points, atMs))
  return from === null || from === undefined || to === null || to === undefined ? null : { readBytes: iostat.readBytes, refaultedBytes: (to - from) * pageBytes }
}

/** Null outside the readings. */
function valueAt (points: ReadonlyArray<{ readonly atMs: number, readonly refaults: number }>, atMs: number): number | null {
  const after = points.findIndex(point => point.atMs >= atMs)
  const [a, b] = [points[after - 1], points[after]]
  if (b === undefined) return null
  if (a === undefined) return b.atMs === atMs ? b.refaults : null
  return a.refaults + (b.refaults - a.refaults) * (atMs - a.atMs) / (b.atMs - a.atMs)
}

/** What the process read from storage (/proc/PID/io) and what its group refaulted (memory.stat), both read just before and after the load. */
function byProcess (view: StreamsView): Growths | null {
  const [readBytes, refaulted] = [grownBy(({ process }) => process?.readBytes)(view), refaultedBytes(view)]
  return readBytes === null || refaulted === null ? null : { readBytes, refaultedBytes: refaulted }
}

/** By iostat where it ran, else by /proc/PID/io. */
export const readPerRefaulted: Figure = view => {
  const grown = byIostat(view) ?? byProcess(view)
  return grown === null ? null : ratio(grown.readBytes, grown.refaultedBytes)
}

export function readSource (views: readonly StreamsView[], condition: string): string {
  return ofCondition(views, condition).every(view => byIostat(view) !== null) ? 'iostat (all disks)' : '/proc/PID/io of llama-server'
}

/** Growth over the load of what was read just before and after it. */
export function grownBy (pick: (os: Pick<OsSample, 'process' | 'disk'>) => number | undefined): Figure {
  return ({ block: { evidence: { osAtStart, osAtEnd } } }) => {
    const [from, to] = [osAtStart, osAtEnd].map(os => os === undefined ? undefined : pick(os))
    return from === undefined || to === undefined ? null : to - from
  }
}
