import type { OsSample } from '../types.js'
import { readKept } from './read-text.js'

/** A pressure file's `total`s, microseconds. `full` is absent for cpu before Linux 5.13. */
export interface Pressure {
  readonly someUsec?: number
  readonly fullUsec?: number
}

/** Documentation/accounting/psi.rst. Totals, not the averages: these lag and would mix the warm-up into the run. */
export function parsePressure (text: string): Pressure {
  const total = (kind: string): number | undefined => {
    const line = text.split('\n').find(each => each.startsWith(kind))
    const value = line === undefined ? NaN : Number.parseInt(line.slice(line.indexOf('total=') + 6), 10)
    return Number.isFinite(value) ? value : undefined
  }
  const [someUsec, fullUsec] = [total('some'), total('full')]
  return { ...(someUsec === undefined ? {} : { someUsec }), ...(fullUsec === undefined ? {} : { fullUsec }) }
}

/** Undefined when the kernel keeps no pressure (no CONFIG_PSI, or `psi=1` not given). */
export function readPressure (): OsSample['psi'] {
  const [cpu, memory, io] = ['cpu', 'memory', 'io'].map(name => parsePressure(readKept(`/proc/pressure/${name}`) ?? ''))
  if (cpu?.someUsec === undefined || memory?.someUsec === undefined || memory.fullUsec === undefined || io?.someUsec === undefined || io.fullUsec === undefined) return undefined
  return { cpuSomeUsec: cpu.someUsec, memorySomeUsec: memory.someUsec, memoryFullUsec: memory.fullUsec, ioSomeUsec: io.someUsec, ioFullUsec: io.fullUsec }
}
