import { growth, largestOf, smallestOf } from './memory-figures.js'
import { hogInBoth, notSwapped, notThrottled, readBackShare, readChecks, refaultChecks, without, withIt } from './memory-mitigations.js'
import { unbounded } from './leg.js'
import { mitigationEntry } from './mitigation.js'

const locked = 'locked memory (VmLck)'

export const mlock = mitigationEntry({
  id: 'mlock',
  statement: 'With the model locked in memory a page-cache hog in the same limit no longer makes llama-server read its model again',
  explanation: 'Mapped weights are page cache like the hog’s file, and the limit’s reclaim takes from both. Locked pages are on the unevictable list: reclaim passes them by and takes the hog’s, ' +
    'which are read once and worth nothing. llama-server only warns when it may not lock, so VmLck is read back and not the flag.',
  primary: { metric: 'tokens-per-second', better: 'higher' },
  os: readChecks,
  control: [
    { id: 'locked-with', metric: 'read-back', what: 'share of the blocks with it in which the kernel says that the model is locked', source: '/proc/PID/status VmLck', value: readBackShare(withIt, locked), band: () => [1, 1] },
    { id: 'locked-without', metric: 'read-back', what: 'without it', source: '/proc/PID/status VmLck', value: readBackShare(without, locked), band: () => [0, 0] },
    hogInBoth, notThrottled, notSwapped
  ],
  mechanism: [
    ...refaultChecks,
    { id: 'limit-hits', metric: 'memory.events', what: 'times that the limit was met during the load, least of any block', source: 'memory.events max', value: views => smallestOf(views, [without, withIt], growth('memory.events.max')), band: () => [1, unbounded], quiet: null },
    { id: 'kills', metric: 'oom-kills', what: 'kills, most of any block', source: 'memory.events oom_kill', value: views => largestOf(views, [without, withIt], view => view.summary.group.oomKills ?? null), band: () => [0, 0] }
  ]
})
