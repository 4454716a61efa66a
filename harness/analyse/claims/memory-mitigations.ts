/** What the claims of the memory mitigations have in common: what must come sooner, and how much of a model is read again. */
import type { Figure } from '../contention.js'
import { ofCondition } from '../gate.js'
import type { StreamsView } from '../streams-summary.js'
import { contrastCheck, type Checks } from './checks.js'
import type { OfStreams, StreamsDraft } from './contract.js'
import { unbounded } from './leg.js'
import { grownBy, growth, largestOf, refaultedBytes, smallestOf } from './memory-figures.js'
import { LOAD } from './sources.js'
import { EQUIVALENT, withIt, without, type StreamsCheck } from './streams-checks.js'

export const mebi = 1024 ** 2

/** A time, with ÷ without: its whole interval is a tenth or more below 1, on the quiet host within a tenth of it. @param metric of a contrast */
export function sooner (metric: string): Checks<OfStreams> {
  const told = { source: LOAD, band: () => [0, EQUIVALENT[0]] as const, quiet: EQUIVALENT }
  return [
    contrastCheck(metric, 'ratio', { ...told, id: 'gain', what: `${metric}, with ÷ without, and both ends of its interval` }),
    contrastCheck(metric, 'lower end', { ...told, id: 'gain-lower-end', what: 'lower end of its interval', inBandOf: 'gain' }),
    contrastCheck(metric, 'upper end', { ...told, id: 'gain-upper-end', what: 'upper end', inBandOf: 'gain' })
  ]
}

export function inMebibytes (figure: Figure): Figure {
  return view => { const bytes = figure(view); return bytes === null ? null : bytes / mebi }
}

/** What llama-server's process read from storage during the load (/proc/PID/io). */
export const readByProcess: Figure = grownBy(sample => sample.process?.readBytes)

export function touchedMebibytes (draft: StreamsDraft): number | undefined {
  const bytes = draft.calibration.servers.find(server => server.touched !== undefined)?.touched?.modelBytes
  return bytes === undefined ? undefined : bytes / mebi
}

/** At least half of what a token touches in each block. */
export function halfAModel (draft: StreamsDraft): readonly [number, number] | undefined {
  const touched = touchedMebibytes(draft)
  return touched === undefined ? undefined : [touched / 2, unbounded]
}

export const lessThanOne = (): readonly [number, number] => [0, 1]

/** MiB read again in the load: in each block without it at least half a model, in each block with it less than 1. */
export const refaultChecks: readonly [StreamsCheck, StreamsCheck] = [
  { id: 'refaulted-mib-with', metric: 'refaulted-pages', what: 'MiB refaulted during the load with it, most of any block', source: 'memory.stat workingset_refault_file', value: views => largestOf(views, [withIt], inMebibytes(refaultedBytes)), band: lessThanOne },
  { id: 'refaulted-mib-without', metric: 'refaulted-pages', what: 'without it, least of any block', source: 'memory.stat workingset_refault_file', value: views => smallestOf(views, [without], inMebibytes(refaultedBytes)), band: halfAModel, quiet: null }
]

export const readChecks: readonly [StreamsCheck, StreamsCheck] = [
  { id: 'read-mib-with', metric: 'read-bytes', what: 'MiB that llama-server read from storage during the load with it, most of any block', source: '/proc/PID/io', value: views => largestOf(views, [withIt], inMebibytes(readByProcess)), band: lessThanOne },
  { id: 'read-mib-without', metric: 'read-bytes', what: 'without it, least of any block', source: '/proc/PID/io', value: views => smallestOf(views, [without], inMebibytes(readByProcess)), band: halfAModel, quiet: null }
]

export const notThrottled: StreamsCheck = {
  id: 'throttled-periods', metric: 'throttled-periods', what: 'periods throttled by a CPU quota, most of any block', source: 'cpu.stat nr_throttled', value: views => largestOf(views, [without, withIt], growth('cpu.stat.nr_throttled')), band: () => [0, 0]
}

export const notSwapped: StreamsCheck = {
  id: 'swapped-in-pages', metric: 'memory.stat', what: 'anonymous pages brought back from swap, most of any block', source: 'memory.stat workingset_refault_anon', value: views => largestOf(views, [without, withIt], growth('memory.stat.workingset_refault_anon')), band: () => [0, 0]
}

/** Share of the blocks of an arm in which something was read back, and is not nothing. */
export function readBackShare (condition: string, what: string): (views: readonly StreamsView[]) => number | null {
  return views => {
    const blocks = ofCondition(views, condition).map(({ block }) => block.evidence.readBack[what])
    return blocks.length === 0 ? null : blocks.filter(value => value !== undefined && !value.startsWith('0 bytes')).length / blocks.length
  }
}

/** The interference was there in both arms alike. */
export const hogInBoth: StreamsCheck = {
  id: 'hog-in-all-blocks',
  metric: 'read-back',
  what: 'share of the blocks of each arm with the page-cache hog at work in its group, least',
  source: 'cgroup.procs, /proc/PID/io and fincore of the hog',
  value: views => {
    const shares = [without, withIt].map(condition => readBackShare(condition, 'page-cache hog')(views))
    return shares.includes(null) ? null : Math.min(...shares.flatMap(share => share ?? []))
  },
  band: () => [1, 1],
  quiet: [0, 0]
}
