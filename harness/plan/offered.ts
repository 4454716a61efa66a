import type { OpenLoopWorkload } from '../types.js'

/** What a load offers, in a few words. */
export function offeredText ({ ratePerSecond, conversations, workers }: OpenLoopWorkload): string {
  if (conversations !== undefined) return `${conversations.count} conversations`
  if (workers !== undefined) return `${workers} clients that ask again when answered`
  return `${ratePerSecond.toFixed(2)} requests/s`
}
