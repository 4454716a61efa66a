import { existsSync } from 'node:fs'
import type { Setting } from './contract.js'
import { readGroupFile, writeGroupFile } from './files.js'
import type { V1Name } from './v1-place.js'

/** A group's folder in each v1 hierarchy. */
export type V1Folders = Readonly<Partial<Record<V1Name, string>>>

interface V1Setting {
  get (folders: V1Folders): string
  set (folders: V1Folders, value: string): void
}

/** "No limit" as memory controllers write it: LONG_MAX in whole pages; smaller on 32 bit. */
const NO_LIMIT = 2n ** 62n
const IO_FILES = { rbps: 'read_bps_device', wbps: 'write_bps_device', riops: 'read_iops_device', wiops: 'write_iops_device' }

/**
 * v2 settings in terms of v1 files (Documentation/admin-guide/cgroup-v1). `memory.high`, `low` and `min` have no counterpart:
 * `memory.soft_limit_in_bytes` only directs reclaim under global pressure, it neither throttles nor protects.
 */
export const V1_SETTINGS: Readonly<Partial<Record<Setting, V1Setting>>> = {
  'cpu.max': {
    get: at => {
      const quota = readGroupFile(path(at, 'cpu', 'cpu.cfs_quota_us'))
      return `${quota === '-1' ? 'max' : quota} ${readGroupFile(path(at, 'cpu', 'cpu.cfs_period_us'))}`
    },
    set: (at, value) => {
      const [, quota, period] = /^(max|\d+) (\d+)$/.exec(value) ?? []
      if (quota === undefined || period === undefined) throw new Error(`cpu.max is ${JSON.stringify(value)}, but must be "QUOTA_USEC PERIOD_USEC" or "max PERIOD_USEC"`)
      const [quotaFile, periodFile] = [path(at, 'cpu', 'cpu.cfs_quota_us'), path(at, 'cpu', 'cpu.cfs_period_us')]
      const before = [readGroupFile(quotaFile), readGroupFile(periodFile)] as const
      const write = (quota: string, period: string): void => {
        // Each write is checked against what the other file holds then.
        writeGroupFile(quotaFile, '-1')
        writeGroupFile(periodFile, period)
        if (quota !== '-1') writeGroupFile(quotaFile, quota)
      }
      try {
        write(quota === 'max' ? '-1' : quota, period)
      } catch (error) {
        write(...before)
        throw error
      }
    }
  },
  'cpu.max.burst': plain('cpu', 'cpu.cfs_burst_us'),
  // The kernel turns both into the same load weight: weight × 1024 / 100 (kernel/sched/core.c, cpu_weight_write_u64).
  'cpu.weight': {
    get: at => String(Math.round(Number(readGroupFile(path(at, 'cpu', 'cpu.shares'))) * 100 / 1024)),
    set: (at, value) => {
      if (!/^\d+$/.test(value) || Number(value) < 1 || Number(value) > 10_000) throw new Error(`cpu.weight is ${JSON.stringify(value)}, but must be a whole number from 1 to 10000`)
      writeGroupFile(path(at, 'cpu', 'cpu.shares'), String(Math.round(Number(value) * 1024 / 100)))
    }
  },
  'cpuset.cpus': plain('cpuset', 'cpuset.cpus'),
  'memory.max': {
    get: at => limit(readGroupFile(path(at, 'memory', 'memory.limit_in_bytes'))),
    set: (at, value) => writeGroupFile(path(at, 'memory', 'memory.limit_in_bytes'), value === 'max' ? '-1' : value)
  },
  // v1 limits memory and swap together only.
  'memory.swap.max': {
    get: at => {
      const [both, memory] = [limit(readGroupFile(bothFile(at))), limit(readGroupFile(path(at, 'memory', 'memory.limit_in_bytes')))]
      return both === 'max' || memory === 'max' ? 'max' : String(BigInt(both) - BigInt(memory))
    },
    set: (at, value) => {
      const memory = limit(readGroupFile(path(at, 'memory', 'memory.limit_in_bytes')))
      if (value !== 'max' && memory === 'max') throw new Error(`memory.swap.max is ${JSON.stringify(value)}, but cgroup v1 can limit swap only together with memory: set memory.max first`)
      writeGroupFile(bothFile(at), value === 'max' || memory === 'max' ? '-1' : String(BigInt(memory) + BigInt(value)))
    }
  },
  'io.max': { get: getIoMax, set: setIoMax }
}

function plain (name: V1Name, file: string): V1Setting {
  return { get: at => readGroupFile(path(at, name, file)), set: (at, value) => writeGroupFile(path(at, name, file), value) }
}

function path (at: V1Folders, name: V1Name, file: string): string {
  const folder = at[name]
  if (folder === undefined) throw new Error(`${file}: this group has no v1 ${name} controller`)
  return `${folder}/${file}`
}

function bothFile (at: V1Folders): string {
  const file = path(at, 'memory', 'memory.memsw.limit_in_bytes')
  if (!existsSync(file)) throw new Error(`there is no ${file}: this kernel does not count swap by group. To mend: boot it with swapaccount=1`)
  return file
}

function limit (bytes: string): string {
  return BigInt(bytes) >= NO_LIMIT ? 'max' : bytes
}

function setIoMax (at: V1Folders, value: string): void {
  const [, device = '', limits] = /^(\d+:\d+)((?: (?:rbps|wbps|riops|wiops)=(?:max|\d+))+)$/.exec(value) ?? []
  if (limits === undefined) throw new Error(`io.max is ${JSON.stringify(value)}, but must be "MAJ:MIN rbps=… wbps=… riops=… wiops=…"`)
  for (const [key, file] of Object.entries(IO_FILES)) {
    const amount = new RegExp(` ${key}=(\\w+)`).exec(limits)?.[1]
    // Zero takes the rule away.
    if (amount !== undefined) writeGroupFile(path(at, 'blkio', `blkio.throttle.${file}`), `${device} ${amount === 'max' ? 0 : amount}`)
  }
}

function getIoMax (at: V1Folders): string {
  const rules = new Map<string, Record<string, string>>()
  for (const [key, file] of Object.entries(IO_FILES)) {
    for (const [, device = '', amount = ''] of readGroupFile(path(at, 'blkio', `blkio.throttle.${file}`)).matchAll(/^(\S+) (\d+)$/gm)) {
      rules.set(device, { ...rules.get(device), [key]: amount })
    }
  }
  return [...rules].map(([device, rule]) => `${device} ${Object.keys(IO_FILES).map(key => `${key}=${rule[key] ?? 'max'}`).join(' ')}`).join('\n')
}
