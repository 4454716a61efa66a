import type { Block, PidstatTotals } from '../types.js'

/** `-t` of the command line that the block was run with; 1 where it says nothing. */
export function threadsOf ({ evidence: { serverCommandLine } }: Pick<Block, 'evidence'>): number {
  return Number(serverCommandLine[serverCommandLine.indexOf('-t') + 1]) || 1
}

/**
 * llama-server's compute threads by pidstat: of all its threads the busiest, as many as `-t` says; those that serve HTTP hardly run. Beside hogs one of two may get less than
 * half of the other's CPU time, since it sleeps when it has spun in vain for a while. None where pidstat tells nothing of threads.
 */
export function computeThreads (block: Block): NonNullable<PidstatTotals['threads']> {
  return (block.tools?.pidstat?.threads ?? []).slice(0, threadsOf(block))
}
