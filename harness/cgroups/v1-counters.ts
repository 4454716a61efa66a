import { parseKeyed } from '../probes/read-text.js'
import type { V1Name } from './v1-place.js'

/** v1 memory.stat keys that count the very same thing as a v2 key (mm/memcontrol-v1.c); refaults are pages in both. */
const MEMORY_STAT: Readonly<Record<string, string>> = {
  rss: 'anon',
  cache: 'file',
  mapped_file: 'file_mapped',
  unevictable: 'unevictable',
  pgfault: 'pgfault',
  pgmajfault: 'pgmajfault',
  workingset_refault_file: 'workingset_refault_file',
  workingset_refault_anon: 'workingset_refault_anon'
}

const CPU_STAT: Readonly<Record<string, readonly [name: string, divisor: number]>> = {
  nr_periods: ['nr_periods', 1],
  nr_throttled: ['nr_throttled', 1],
  throttled_time: ['throttled_usec', 1000],
  nr_bursts: ['nr_bursts', 1],
  burst_time: ['burst_usec', 1000]
}

/** No limit is the largest count of whole pages. */
const NO_LIMIT = 2 ** 62

const SINGLE: Readonly<Record<string, string>> = {
  'memory.usage_in_bytes': 'memory.current',
  'memory.max_usage_in_bytes': 'memory.peak',
  'memory.limit_in_bytes': 'memory.max',
  'memory.kmem.usage_in_bytes': 'memory.stat.kernel',
  // Each try that met the limit; v2 counts a charge that was tried as a batch first once, v1 twice.
  'memory.failcnt': 'memory.events.max'
}

/** Files that `translateV1` knows, by hierarchy. */
export const V1_COUNTER_FILES: Readonly<Partial<Record<V1Name, readonly string[]>>> = {
  cpu: ['cpu.stat'],
  cpuacct: ['cpuacct.usage'],
  memory: ['memory.stat', 'memory.oom_control', ...Object.keys(SINGLE)]
}

/**
 * v1 counters by v2 names, only where they mean the same. Left out on purpose: `pgpgin`/`pgpgout` (charges, not IO), memory.stat's `swap`,
 * cpuacct's user and system time (sampled by tick), and `blkio.throttle.io_service_bytes` (counts only while a limit is set).
 */
export function translateV1 (read: (file: string) => string | undefined): Record<string, number> {
  const counters: Record<string, number> = {}
  for (const [key, value] of parseKeyed(read('cpu.stat') ?? '')) {
    const [name, divisor] = CPU_STAT[key] ?? []
    if (name !== undefined && divisor !== undefined) counters[`cpu.stat.${name}`] = Math.round(value / divisor)
  }
  const usageNs = Number(read('cpuacct.usage') ?? NaN)
  if (Number.isFinite(usageNs)) counters['cpu.stat.usage_usec'] = Math.round(usageNs / 1000)
  for (const [key, value] of parseKeyed(read('memory.stat') ?? '')) {
    const name = MEMORY_STAT[key]
    if (name !== undefined) counters[`memory.stat.${name}`] = value
  }
  const oomKills = parseKeyed(read('memory.oom_control') ?? '').get('oom_kill')
  if (oomKills !== undefined) counters['memory.events.oom_kill'] = oomKills
  for (const [file, name] of Object.entries(SINGLE)) {
    const value = read(file)
    if (value !== undefined && /^\d+\s*$/.test(value) && Number(value) < NO_LIMIT) counters[name] = Number(value)
  }
  return counters
}
