import type { Figure } from '../contention.js'
import { pageBytes } from '../page-bytes.js'
import { streamsEntry } from './checked-claim.js'
import { unbounded } from './leg.js'
import { answeredShare, atEnd, grownBy, growth, largestOf, smallestOf } from './memory-figures.js'
import { hogInBoth, inMebibytes, lessThanOne, notThrottled, sooner } from './memory-mitigations.js'
import { LOAD } from './sources.js'
import { withIt, without } from './streams-checks.js'

/** Weights go out and come back in parts: a tenth of the model in each block is far above the handful of pages of a quiet one. */
const leastSwappedMib = 4

const refaultedAnon: Figure = view => {
  const pages = growth('memory.stat.workingset_refault_anon')(view)
  return pages === null ? null : pages * pageBytes
}

/** All whole disks: in a machine of its own nothing else is read during the load. */
const diskReads: Figure = grownBy(({ disk }) => disk?.readBytes)

export const noSwap = streamsEntry({
  id: 'no-swap',
  statement: 'Without swap a page-cache hog in the same limit no longer drives copied weights out of memory while the server waits',
  quietStatement: 'On the quiet host no-swap changes nothing',
  explanation: 'Weights in anonymous memory can only go to swap. A hog that reads round and round makes its own pages look wanted (they refault), so reclaim takes anonymous pages, too, although each token needs all of them. ' +
    'With memory.swap.max 0 there is no place for them to go, and reclaim is left with the hog’s pages. The price: what does not fit is killed instead of slowed down.',
  application: sooner('ttft-p50'),
  os: [
    { id: 'disk-mib-with', metric: 'disk', what: 'MiB read from all disks during the load with it, most of any block', source: '/proc/diskstats', value: views => largestOf(views, [withIt], inMebibytes(diskReads)), band: lessThanOne },
    { id: 'disk-mib-without', metric: 'disk', what: 'without it, least of any block', source: '/proc/diskstats', value: views => smallestOf(views, [without], inMebibytes(diskReads)), band: () => [leastSwappedMib, unbounded], quiet: null }
  ],
  control: [
    { id: 'answered', metric: 'calls', what: 'share of the calls answered in every block: nothing was killed for want of swap', source: LOAD, value: (views, plan) => smallestOf(views, [without, withIt], answeredShare(plan.workload.clients * plan.workload.calls)), band: () => [1, 1] },
    hogInBoth, notThrottled
  ],
  mechanism: [
    { id: 'swapped-in-mib-with', metric: 'memory.stat', what: 'MiB of anonymous memory brought back from swap during the load with it, most of any block', source: 'memory.stat workingset_refault_anon', value: views => largestOf(views, [withIt], inMebibytes(refaultedAnon)), band: () => [0, 0] },
    { id: 'swapped-in-mib-without', metric: 'memory.stat', what: 'without it, least of any block', source: 'memory.stat workingset_refault_anon', value: views => smallestOf(views, [without], inMebibytes(refaultedAnon)), band: () => [leastSwappedMib, unbounded], quiet: null },
    { id: 'in-swap-mib-with', metric: 'memory.swap', what: 'MiB in swap at the end with it, most of any block', source: 'memory.swap.current', value: views => largestOf(views, [withIt], inMebibytes(atEnd('memory.swap.current'))), band: () => [0, 0] }
  ]
})
