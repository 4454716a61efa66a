import type { BlockEvidence } from '../types.js'

/** How a llama-server came to its end. `killed`: by a signal that neither a fault of its own nor the kernel's want of memory explains. */
export type EndKind = 'out of memory' | 'crashed' | 'killed' | 'exited'

/** Signals of a program's own faults. */
const FAULTS = ['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGSYS', 'SIGTRAP']

/**
 * Undefined when it did not end. Out of memory takes three things: SIGKILL, which the harness sends only after it asked the server to end, a kill counted in
 * its own group, and, where the kernel's log could be read, that the log names llama-server (another process of the group may be the one that was killed).
 */
export function endKindOf ({ serverEnd, groupCountersAtEnd: end = {} }: Pick<BlockEvidence, 'serverEnd' | 'groupCountersAtEnd'>): EndKind | undefined {
  if (serverEnd === undefined) return undefined
  const { code, signal, kernelLog } = serverEnd
  if (signal !== null && FAULTS.includes(signal)) return 'crashed'
  const counted = (end['memory.events.oom_kill'] ?? 0) > 0
  const another = kernelLog !== undefined && !namesServer(kernelLog)
  if (counted && !another && (signal === 'SIGKILL' || (signal === null && code === null))) return 'out of memory'
  return signal === null ? 'exited' : 'killed'
}

/** Threads are named after what they do, the process after its file; started by a loader of its own it has that one's name. */
export function namesServer (kernelLog: string): boolean {
  return /,task=(llama-server|ld-linux\S*?),pid=/.test(kernelLog)
}
