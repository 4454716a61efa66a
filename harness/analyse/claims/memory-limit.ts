import { isStreams } from '../plan-kind.js'
import type { StreamsView } from '../streams-summary.js'
import type { ClaimEntry } from './contract.js'
import { memoryCliff } from './memory-cliff.js'
import { memoryKill } from './memory-kill.js'
import { memoryLimitPredictions } from './memory-limit-predictions.js'

/** Two claims of one run: a mapped model is read again and again below the cliff, and memory that cannot be dropped is killed there. */
export const memoryLimit: ClaimEntry = {
  id: 'memory-limit',
  predictions: memoryLimitPredictions,
  claims: (plan, _blocks, { streams }: { readonly streams: readonly StreamsView[] }) => isStreams(plan) ? [memoryCliff(plan, streams), memoryKill(plan, streams)] : []
}
