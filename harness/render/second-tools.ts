import type { CrossCheck, Result } from '../types.js'

/** One quantity by two readers, over all blocks. */
export interface Agreement extends Pick<CrossCheck, 'quantity' | 'tool' | 'source' | 'unit'> {
  readonly blocks: number
  readonly agreeing: number
  /** Sums over the blocks. */
  readonly theirs: number
  readonly ours: number
}

/** In the order in which they are checked; empty for a run without other tools. */
export function agreements ({ blocks }: Result): Agreement[] {
  const found = new Map<string, Agreement>()
  for (const check of blocks.flatMap(block => block.crossChecks ?? [])) {
    const { quantity, tool, source, unit } = check
    const key = JSON.stringify([quantity, tool, source])
    const before = found.get(key) ?? { quantity, tool, source, unit, blocks: 0, agreeing: 0, theirs: 0, ours: 0 }
    found.set(key, { ...before, blocks: before.blocks + 1, agreeing: before.agreeing + (check.agrees ? 1 : 0), theirs: before.theirs + check.theirs, ours: before.ours + check.ours })
  }
  return [...found.values()]
}
