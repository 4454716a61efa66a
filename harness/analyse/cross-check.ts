import type { Block, BlockTools, CrossCheck, OsSample, ToolWindow } from '../types.js'

/** Of the greater of the two. */
const TOLERATED_SHARE = 0.02
/** By so much the ends of a tool's window may be dated wrongly, each: what our own counter grew in that time around each end is tolerated. */
const EDGE_MS = 25
/** The same where our own readings are far apart, as a share of the gap: between them growth is taken as even. */
const EDGE_OF_GAP = 0.1

interface Check {
  readonly quantity: string
  readonly unit: string
  readonly tool: string
  readonly source: string
  readonly theirs: (tools: BlockTools) => (ToolWindow & { readonly value: number | undefined }) | undefined
  readonly ours: (sample: OsSample) => number | undefined
  /** Tolerated however small the counts: clock ticks, a rate of two decimals, the tool's own start. */
  readonly floor: number
  /** Only where llama-server is alone in its control group. */
  readonly ofGroup?: true
}

const pidstat = (pick: (totals: NonNullable<BlockTools['pidstat']>) => number | undefined): Check['theirs'] => ({ pidstat }) => pidstat && { ...pidstat, value: pick(pidstat) }
const iostat = (pick: (totals: NonNullable<BlockTools['iostat']>) => number | undefined): Check['theirs'] => ({ iostat }) => iostat && { ...iostat, value: pick(iostat) }
const perf = (pick: (totals: NonNullable<BlockTools['perf']>) => number | undefined): Check['theirs'] => ({ perf }) => perf && { ...perf, value: pick(perf) }

const switchesOf = ({ process }: OsSample): number | undefined =>
  process?.voluntarySwitches === undefined || process.involuntarySwitches === undefined ? undefined : process.voluntarySwitches + process.involuntarySwitches
const onCpuUsecOf = ({ process }: OsSample): number | undefined => process?.onCpuNs === undefined ? undefined : process.onCpuNs / 1000

/** Ticks of 10 ms at both ends, of both readers. */
const CPU_FLOOR_USEC = 50_000
const SWITCHES_FLOOR = 20
const FAULTS_FLOOR = 20
const READ_FLOOR_BYTES = 64 * 1024
const AWAIT_FLOOR_MS = 0.1
/** Fewer reads have no mean worth comparing. */
const READS_AT_LEAST = 20

const CHECKS: readonly Check[] = [
  { quantity: 'CPU time of llama-server', unit: 'µs', tool: 'pidstat %usr + %system', source: '/proc/PID/stat', theirs: pidstat(totals => totals.cpuUsec), ours: sample => sample.process?.cpuUsec, floor: CPU_FLOOR_USEC },
  { quantity: 'CPU time of llama-server', unit: 'µs', tool: 'pidstat %usr + %system', source: 'cgroup cpu.stat', theirs: pidstat(totals => totals.cpuUsec), ours: sample => sample.cgroup?.['cpu.stat.usage_usec'], floor: CPU_FLOOR_USEC, ofGroup: true },
  { quantity: 'CPU time of llama-server', unit: 'µs', tool: 'perf task-clock', source: 'schedstat of its threads', theirs: perf(totals => totals.cpuUsec), ours: onCpuUsecOf, floor: CPU_FLOOR_USEC },
  { quantity: 'voluntary switches', unit: 'switches', tool: 'pidstat cswch/s', source: '/proc/PID/task', theirs: pidstat(totals => totals.voluntarySwitches), ours: sample => sample.process?.voluntarySwitches, floor: SWITCHES_FLOOR },
  { quantity: 'involuntary switches', unit: 'switches', tool: 'pidstat nvcswch/s', source: '/proc/PID/task', theirs: pidstat(totals => totals.involuntarySwitches), ours: sample => sample.process?.involuntarySwitches, floor: SWITCHES_FLOOR },
  { quantity: 'context switches', unit: 'switches', tool: 'perf context-switches', source: '/proc/PID/task', theirs: perf(totals => totals.contextSwitches), ours: switchesOf, floor: SWITCHES_FLOOR },
  { quantity: 'minor faults', unit: 'faults', tool: 'pidstat minflt/s', source: '/proc/PID/stat', theirs: pidstat(totals => totals.minorFaults), ours: sample => sample.process?.minorFaults, floor: FAULTS_FLOOR },
  { quantity: 'major faults', unit: 'faults', tool: 'pidstat majflt/s', source: '/proc/PID/stat', theirs: pidstat(totals => totals.majorFaults), ours: sample => sample.process?.majorFaults, floor: FAULTS_FLOOR },
  { quantity: 'read from storage', unit: 'bytes', tool: 'pidstat kB_rd/s', source: '/proc/PID/io', theirs: pidstat(totals => totals.readBytes), ours: sample => sample.process?.readBytes, floor: READ_FLOOR_BYTES },
  { quantity: 'reads of the disks', unit: 'reads', tool: 'iostat r/s', source: '/proc/diskstats', theirs: iostat(totals => totals.reads), ours: sample => sample.disk?.reads, floor: READS_AT_LEAST },
  { quantity: 'read by the disks', unit: 'bytes', tool: 'iostat rkB/s', source: '/proc/diskstats', theirs: iostat(totals => totals.readBytes), ours: sample => sample.disk?.readBytes, floor: READ_FLOOR_BYTES },
  { quantity: 'switches of the machine', unit: 'switches', tool: 'vmstat cs', source: '/proc/stat', theirs: ({ vmstat }) => vmstat && { ...vmstat, value: vmstat.contextSwitches }, ours: sample => sample.host?.contextSwitches, floor: SWITCHES_FLOOR }
]

/**
 * The same quantities by two readers, over the window of the other tool: two tools agree within 2 %, or within the floor of the quantity, or within what
 * the dating of the window's ends leaves open. What one of the two did not see is not compared. Pure.
 */
export function crossCheck (block: Block, { aloneInGroup }: { readonly aloneInGroup: boolean }): CrossCheck[] {
  const { tools } = block
  if (tools === undefined) return []
  const samples = [...block.samples].sort((a, b) => a.atMs - b.atMs)
  const checks = CHECKS.filter(check => check.ofGroup === undefined || aloneInGroup).flatMap(check => {
    const theirs = check.theirs(tools)
    const grown = theirs === undefined ? undefined : growthIn(samples, check.ours, theirs)
    return theirs?.value === undefined || grown === undefined ? [] : [compared(check, theirs.value, grown.growth, Math.max(check.floor, grown.open))]
  })
  return [...checks, ...readAwait(tools, samples)]
}

function compared ({ quantity, unit, tool, source }: Pick<Check, 'quantity' | 'unit' | 'tool' | 'source'>, theirs: number, ours: number, floor: number): CrossCheck {
  const tolerance = Math.max(TOLERATED_SHARE * Math.max(theirs, ours), floor)
  return { quantity, unit, tool, theirs, source, ours, tolerance, agrees: Math.abs(theirs - ours) <= tolerance }
}

function readAwait ({ iostat }: BlockTools, samples: readonly OsSample[]): CrossCheck[] {
  if (iostat?.readAwaitMs === undefined || iostat.reads < READS_AT_LEAST) return []
  const [reads, readMs] = [growthIn(samples, sample => sample.disk?.reads, iostat), growthIn(samples, sample => sample.disk?.readMs, iostat)]
  if (reads === undefined || readMs === undefined || reads.growth < READS_AT_LEAST) return []
  return [compared({ quantity: 'mean time of a read', unit: 'ms', tool: 'iostat r_await', source: '/proc/diskstats' }, iostat.readAwaitMs, readMs.growth / reads.growth, AWAIT_FLOOR_MS)]
}

interface Growth {
  readonly growth: number
  /** Grown around the two ends, while it is not known on which side of them. */
  readonly open: number
}

function growthIn (samples: readonly OsSample[], pick: (sample: OsSample) => number | undefined, { fromMs, toMs }: ToolWindow): Growth | undefined {
  const readings = samples.flatMap(sample => {
    const value = pick(sample)
    return value === undefined ? [] : [{ atMs: sample.atMs, value }]
  })
  const [from, to] = [valueAt(readings, fromMs), valueAt(readings, toMs)]
  return from === undefined || to === undefined ? undefined : { growth: to.value - from.value, open: from.open + to.open }
}

interface Reading { readonly atMs: number, readonly value: number }

/** On the line between the two readings around it; undefined before the first and after the last. */
function valueAt (readings: readonly Reading[], atMs: number): { readonly value: number, readonly open: number } | undefined {
  const after = readings.findIndex(reading => reading.atMs >= atMs)
  const [a, b] = [readings[Math.max(0, after - 1)], readings[after]]
  if (a === undefined || b === undefined || a.atMs > atMs) return undefined
  const gapMs = b.atMs - a.atMs
  if (gapMs === 0) return { value: b.value, open: 0 }
  const perMs = (b.value - a.value) / gapMs
  return { value: a.value + perMs * (atMs - a.atMs), open: 2 * perMs * Math.max(EDGE_MS, EDGE_OF_GAP * gapMs) }
}
