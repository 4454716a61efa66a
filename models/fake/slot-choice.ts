import { commonPrefix, type Slot, type Task } from './slot.js'

/** `--slot-prompt-similarity` of llama-server. */
const MIN_SIMILARITY = 0.1

/** The slots a task gets, the first choice's first; `undefined`: it has to wait. */
export function chooseSlots (slots: readonly Slot[], task: Task, byPrompt: boolean): Slot[] | undefined {
  const idle = slots.filter(slot => slot.task === undefined)
  if (idle.length < task.choices) return undefined
  const first = task.pinnedSlot === undefined
    ? (byPrompt ? mostSimilar(idle, task) : undefined) ?? leastRecentlyUsed(idle)
    : idle.find(slot => slot.id === task.pinnedSlot)
  if (first === undefined) return undefined
  return [first, ...idle.filter(slot => slot !== first).slice(0, task.choices - 1)]
}

function mostSimilar (idle: readonly Slot[], task: Task): Slot | undefined {
  let best: Slot | undefined
  let bestShare = MIN_SIMILARITY
  for (const slot of idle) {
    const share = commonPrefix(slot.cachedIds, task.promptIds) / task.promptIds.length
    if (share > bestShare) [best, bestShare] = [slot, share]
  }
  return best
}

function leastRecentlyUsed (idle: readonly Slot[]): Slot | undefined {
  return idle.reduce<Slot | undefined>((least, slot) => least === undefined || slot.lastUsedStep < least.lastUsedStep ? slot : least, undefined)
}
