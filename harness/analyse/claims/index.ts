import { admission } from './admission.js'
import { admissionUnequal } from './admission-unequal.js'
import { batching } from './batching.js'
import { coldWarm } from './cold-warm.js'
import { concurrency } from './concurrency.js'
import { contextLength } from './context-length.js'
import type { ClaimEntry } from './contract.js'
import { cpuBurst } from './cpu-burst.js'
import { cpuQuota } from './cpu-quota.js'
import { cpuWeight } from './cpu-weight.js'
import { prefillLane, preemptiblePrefill, preemptiblePrefillControl, preemptiblePrefillLight, shortestPrefill } from './long-prompts.js'
import { fair, fairSaturated } from './fair.js'
import { memoryLimit } from './memory-limit.js'
import { memoryProtect } from './memory-protect.js'
import { mlock } from './mlock.js'
import { modelBytes } from './model-bytes.js'
import { noSwap } from './no-swap.js'
import { noisyNeighbour } from './noisy-neighbour.js'
import { outputLength } from './output-length.js'
import { overlap } from './overlap.js'
import { pinning } from './pinning.js'
import { prediction } from './prediction.js'
import { prefixCache } from './prefix-cache.js'
import { preload } from './preload.js'
import { promptCap } from './prompt-cap.js'
import { responseCache } from './response-cache.js'
import { retryAfter } from './retry-after.js'
import { retryAfterCapped } from './retry-after-capped.js'
import { singleFlight } from './single-flight.js'
import { slowDisk } from './slow-disk.js'
import { threadCount } from './thread-count.js'
import { threads } from './threads.js'
import { threadsFreeCores } from './threads-free-cores.js'
import { warmup } from './warmup.js'
import { zombie } from './zombie.js'

const registry: readonly ClaimEntry[] = [
  admission,
  admissionUnequal,
  overlap,
  promptCap,
  prediction,
  coldWarm,
  concurrency,
  contextLength,
  outputLength,
  modelBytes,
  slowDisk,
  threadCount,
  zombie,
  retryAfter,
  retryAfterCapped,
  fair,
  fairSaturated,
  shortestPrefill,
  prefillLane,
  preemptiblePrefill,
  preemptiblePrefillControl,
  preemptiblePrefillLight,
  cpuQuota,
  cpuBurst,
  threads,
  memoryLimit,
  memoryProtect,
  mlock,
  noSwap,
  preload,
  responseCache,
  singleFlight,
  batching,
  noisyNeighbour,
  cpuWeight,
  pinning,
  threadsFreeCores,
  warmup,
  prefixCache
]

/** @throws when there is no such entry, naming all there are */
export function claimEntry (id: string): ClaimEntry {
  const found = registry.find(entry => entry.id === id)
  if (found === undefined) throw new Error(`no claim ${JSON.stringify(id)}; there are ${registry.map(entry => entry.id).join(', ')}`)
  return found
}
