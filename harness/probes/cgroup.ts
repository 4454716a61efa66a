import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parsePressure } from './pressure.js'
import { parseKeyed, readKept, readText } from './read-text.js'

/** Of memory.stat's some sixty lines, those that tell of reclaim, refault and who holds the memory. */
const MEMORY_STAT = /^(anon|file|kernel|file_mapped|unevictable|pgfault|pgmajfault|workingset_(refault|activate)_(anon|file)|pgscan(_(kswapd|direct))?|pgsteal(_(kswapd|direct))?)$/

/** Path of the v2 group in /proc/PID/cgroup: the line `0::PATH`. */
export function parseCgroupPath (text: string): string | undefined {
  return /^0::(\/.*)$/m.exec(text)?.[1]?.replace(/ \(deleted\)$/, '')
}

/** Mount point of cgroup2 in /proc/PID/mountinfo (proc(5): octal escapes for blanks). */
export function parseCgroupMount (text: string): string | undefined {
  for (const line of text.split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    if (after.startsWith('cgroup2 ')) return before.split(' ')[4]?.replace(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)))
  }
  return undefined
}

/** One v2 file flattened into `FILE.KEY` → number; `max` means no limit and is left out. Unknown shapes give nothing. */
export function parseCgroupFile (file: string, text: string): [key: string, value: number][] {
  if (file.endsWith('.pressure')) {
    const { someUsec, fullUsec } = parsePressure(text)
    return [...named(`${file}.some_usec`, someUsec), ...named(`${file}.full_usec`, fullUsec)]
  }
  if (text.trim() === '') return []
  if (file === 'cpu.max') {
    const [quota, period] = text.trim().split(' ').map(Number)
    return [...named('cpu.max.quota_usec', quota), ...named('cpu.max.period_usec', period)]
  }
  if (file === 'io.stat') {
    const sums = new Map<string, number>()
    for (const [, key = '', value] of text.matchAll(/\b(rbytes|wbytes|rios|wios)=(\d+)/g)) sums.set(key, (sums.get(key) ?? 0) + Number(value))
    return [...sums].map(([key, value]) => [`io.stat.${key}`, value])
  }
  if (/^\d+\s*$/.test(text)) return [[file, Number(text)]]
  return [...parseKeyed(text)].filter(([key]) => file !== 'memory.stat' || MEMORY_STAT.test(key)).map(([key, value]) => [`${file}.${key}`, value])
}

const FILES = ['cpu.stat', 'cpu.max', 'cpu.max.burst', 'cpu.pressure', 'memory.current', 'memory.peak', 'memory.max', 'memory.high', 'memory.swap.current', 'memory.swap.max', 'memory.stat', 'memory.events', 'memory.pressure', 'io.stat', 'io.pressure', 'pids.current']

/**
 * The folder of a process's own v2 group. Undefined without cgroup v2, and in the root group: its numbers are the whole machine's.
 * (Only groups below the root have `cgroup.events`; a container's root is one of them.)
 */
export function findCgroup (pid: number): string | undefined {
  const path = parseCgroupPath(readText(`/proc/${pid}/cgroup`) ?? '')
  const mount = parseCgroupMount(readText('/proc/self/mountinfo') ?? '')
  if (path === undefined || mount === undefined) return undefined
  const folder = join(mount, path)
  return existsSync(join(folder, 'cgroup.events')) ? folder : undefined
}

/**
 * All counters of a group that this kernel and its controllers offer; undefined when there are none (or the group is gone).
 * `read`: `readKept` for one group that is read again and again, `readText` where groups come and go.
 */
export function readCgroup (folder: string, read: (path: string) => string | undefined = readKept): Record<string, number> | undefined {
  const entries = FILES.flatMap(file => parseCgroupFile(file, read(join(folder, file)) ?? ''))
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

function named (key: string, value: number | undefined): [string, number][] {
  return value === undefined || !Number.isFinite(value) ? [] : [[key, value]]
}
