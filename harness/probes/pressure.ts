import type { OsSample } from '../types.js'
import { numberAfter } from './keyed.js'
import { keptFile } from './read-text.js'

/** A pressure file's `total`s, microseconds. `full` is absent for cpu before Linux 5.13. */
export interface Pressure {
  readonly someUsec?: number
  readonly fullUsec?: number
}

/** Documentation/accounting/psi.rst. Totals, not the averages: these lag and would mix the warm-up into the run. */
export function parsePressure (text: string): Pressure {
  const total = (kind: string): number | undefined => {
    const at = text.indexOf(kind)
    return at === -1 ? undefined : numberAfter(text, 'total=', at)
  }
  const [someUsec, fullUsec] = [total('some '), total('full ')]
  return { ...(someUsec === undefined ? {} : { someUsec }), ...(fullUsec === undefined ? {} : { fullUsec }) }
}

/** Gives undefined when the kernel keeps no pressure (no CONFIG_PSI, or `psi=1` not given). */
export function watchPressure (): () => OsSample['psi'] {
  const files = ['cpu', 'memory', 'io'].map(name => keptFile(`/proc/pressure/${name}`))
  return () => {
    const [cpu, memory, io] = files.map(file => parsePressure(file.read() ?? ''))
    if (cpu?.someUsec === undefined || memory?.someUsec === undefined || memory.fullUsec === undefined || io?.someUsec === undefined || io.fullUsec === undefined) return undefined
    return { cpuSomeUsec: cpu.someUsec, memorySomeUsec: memory.someUsec, memoryFullUsec: memory.fullUsec, ioSomeUsec: io.someUsec, ioFullUsec: io.fullUsec }
  }
}
