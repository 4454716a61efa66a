import { streamsEntry } from './checked-claim.js'
import type { StreamsDraft } from './contract.js'
import { unbounded } from './leg.js'
import { growth, largestOf, smallestOf } from './memory-figures.js'
import { hogInBoth, inMebibytes, notSwapped, notThrottled, readBackShare, readChecks, sooner, touchedMebibytes } from './memory-mitigations.js'
import { withIt, without } from './streams-checks.js'

const locked = 'locked memory (VmLck)'
/** Of the model, once its pages are the group's own: what reclaim took during the pause is not in it. */
const mappedAtStart = inMebibytes(view => view.block.evidence.groupCountersAtStart?.['memory.stat.file_mapped'] ?? null)

function shareOfModel (draft: StreamsDraft, from: number, to: number): readonly [number, number] | undefined {
  const touched = touchedMebibytes(draft)
  return touched === undefined ? undefined : [from * touched, to * touched]
}

export const mlock = streamsEntry({
  id: 'mlock',
  statement: 'With the model locked in memory a page-cache hog in the same limit no longer makes the next request after a pause read the model again',
  quietStatement: 'On the quiet host mlock changes nothing',
  explanation: 'Mapped weights are page cache like the hog’s file, and the limit’s reclaim takes from both. A model in use is spared, its pages are marked as referenced with each token; while the server waits they are not, and go. ' +
    'Locked pages are on the unevictable list: reclaim passes them by and takes the hog’s, which are read once and worth nothing. llama-server only warns when it may not lock, so VmLck is read back and not the flag. ' +
    '(The group’s count of refaults is mostly the hog’s, and readahead keeps major faults near zero; what is mapped and what the process reads tell.)',
  application: sooner('ttft-p50'),
  os: readChecks,
  control: [
    { id: 'locked-with', metric: 'read-back', what: 'share of the blocks with it in which the kernel says that the model is locked', source: '/proc/PID/status VmLck', value: readBackShare(withIt, locked), band: () => [1, 1] },
    { id: 'locked-without', metric: 'read-back', what: 'without it', source: '/proc/PID/status VmLck', value: readBackShare(without, locked), band: () => [0, 0] },
    hogInBoth, notThrottled, notSwapped
  ],
  mechanism: [
    { id: 'mapped-mib-with', metric: 'memory.stat', what: 'MiB of files mapped just before the load with it, least of any block', source: 'memory.stat file_mapped', value: views => smallestOf(views, [withIt], mappedAtStart), band: draft => shareOfModel(draft, 0.95, unbounded) },
    { id: 'mapped-mib-without', metric: 'memory.stat', what: 'without it, most of any block', source: 'memory.stat file_mapped', value: views => largestOf(views, [without], mappedAtStart), band: draft => shareOfModel(draft, 0, 0.5), quiet: null },
    { id: 'limit-hits', metric: 'memory.events', what: 'times that the limit was met during the load, least of any block', source: 'memory.events max', value: views => smallestOf(views, [without, withIt], growth('memory.events.max')), band: () => [1, unbounded], quiet: null },
    { id: 'kills', metric: 'oom-kills', what: 'kills, most of any block', source: 'memory.events oom_kill', value: views => largestOf(views, [without, withIt], view => view.summary.group.oomKills ?? null), band: () => [0, 0] }
  ]
})
