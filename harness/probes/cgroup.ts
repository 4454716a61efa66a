import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parsePressure } from './pressure.js'
import { eachKeyed } from './keyed.js'
import { readText } from './read-text.js'

/** Of memory.stat's some sixty lines, those that tell of reclaim, refault and who holds the memory. */
const MEMORY_STAT = new Set(['anon', 'file', 'kernel', 'file_mapped', 'unevictable', 'pgfault', 'pgmajfault', 'workingset_refault_anon', 'workingset_refault_file',
  'workingset_activate_anon', 'workingset_activate_file', 'pgscan', 'pgscan_kswapd', 'pgscan_direct', 'pgsteal', 'pgsteal_kswapd', 'pgsteal_direct'])

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

/** One v2 file flattened into `FILE.KEY` → number of `into`; `max` means no limit and is left out. Unknown shapes give nothing. */
export function parseCgroupFile (file: string, text: string, into: Record<string, number>): void {
  const put = (key: string, value: number | undefined): void => {
    if (value !== undefined && Number.isFinite(value)) into[key] = value
  }
  if (text === '') return
  if (file.endsWith('.pressure')) {
    const { someUsec, fullUsec } = parsePressure(text)
    put(`${file}.some_usec`, someUsec)
    put(`${file}.full_usec`, fullUsec)
  } else if (file === 'cpu.max') {
    const [quota, period] = text.split(' ').map(Number)
    put('cpu.max.quota_usec', quota)
    put('cpu.max.period_usec', period)
  } else if (file === 'io.stat') {
    for (const [, key = '', value] of text.matchAll(/\b(rbytes|wbytes|rios|wios)=(\d+)/g)) put(`io.stat.${key}`, (into[`io.stat.${key}`] ?? 0) + Number(value))
  } else if (/^\d+\s*$/.test(text)) {
    put(file, Number(text))
  } else {
    eachKeyed(text, (key, value) => {
      if (file !== 'memory.stat' || MEMORY_STAT.has(key)) into[`${file}.${key}`] = value
    })
  }
}

/** Counters, and the memory in use. */
export const COUNTER_FILES = ['cpu.stat', 'cpu.pressure', 'memory.current', 'memory.swap.current', 'memory.stat', 'memory.events', 'memory.pressure', 'io.stat', 'io.pressure']
/** Limits, and what moves little. */
export const LIMIT_FILES = ['cpu.max', 'cpu.max.burst', 'memory.peak', 'memory.max', 'memory.high', 'memory.swap.max', 'pids.current']
const FILES = [...COUNTER_FILES, ...LIMIT_FILES]

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

/** All counters of a group that this kernel and its controllers offer; undefined when there are none (or the group is gone). */
export function readCgroup (folder: string): Record<string, number> | undefined {
  const counters: Record<string, number> = {}
  for (const file of FILES) parseCgroupFile(file, readText(join(folder, file)) ?? '', counters)
  return isEmpty(counters) ? undefined : counters
}

export function isEmpty (counters: Record<string, number>): boolean {
  return Object.keys(counters).length === 0
}
