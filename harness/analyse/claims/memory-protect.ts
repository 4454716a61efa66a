import { streamsEntry } from './checked-claim.js'
import { growth, largestOf } from './memory-figures.js'
import { hogInBoth, notSwapped, notThrottled, readBackShare, readChecks, refaultChecks, sooner } from './memory-mitigations.js'
import { withIt, without } from './streams-checks.js'

export const memoryProtect = streamsEntry({
  id: 'memory-protect',
  statement: 'With memory.low a page-cache hog in the next group, under a limit that both share, no longer makes the next request after a pause read the model again',
  quietStatement: 'On the quiet host memory-protect changes nothing',
  explanation: 'A model in use is spared by reclaim, its pages are marked as referenced with each token; while the server waits they are not. When the limit above two groups is met, the kernel takes pages from both in proportion to what they have. What a group uses below its memory.low is left alone as long as anything else can be taken: ' +
    'the hog then pays for its own reading, with pages that are worth nothing to it.',
  application: sooner('ttft-p50'),
  os: readChecks,
  control: [
    { id: 'protected-with', metric: 'read-back', what: 'share of the blocks with it in which the kernel has a memory.low above 0', source: 'memory.low', value: readBackShare(withIt, 'memory.low'), band: () => [1, 1] },
    hogInBoth, notThrottled, notSwapped
  ],
  mechanism: [
    ...refaultChecks,
    { id: 'low-breached', metric: 'memory.events', what: 'times that protected memory was taken all the same, with it', source: 'memory.events low', value: views => largestOf(views, [withIt], growth('memory.events.low')), band: () => [0, 0] },
    { id: 'kills', metric: 'oom-kills', what: 'kills, most of any block', source: 'memory.events oom_kill', value: views => largestOf(views, [without, withIt], view => view.summary.group.oomKills ?? null), band: () => [0, 0] }
  ]
})
