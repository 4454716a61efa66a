import { worstShare, worstToOverall } from '../class-shares.js'
import { changesNothing, isBelowCapacity } from './below-capacity.js'
import { openLoopEntryOf, type CheckedClaim } from './checked-claim.js'
import { contrastCheck } from './checks.js'
import type { OfOpenLoop } from './contract.js'
import { deferred, sockets, socketsAfter } from './hidden-queue.js'
import { unbounded } from './leg.js'
import { ratioOfSums, ttftWithinLimit } from './open-loop-checks.js'
import { sameMachineByContrast } from './same-machine.js'
import { LOAD, RECORDS, SOCKETS } from './sources.js'

/** The worst class's share of good answers ÷ that of all from which a class counts as treated alike. */
const ALIKE = 0.8

const servesAllLengths: Omit<CheckedClaim<OfOpenLoop>, 'id'> = {
  statement: 'Where calls differ in length, admission that balances its refusals over lengths turns nearly all of the server’s capacity into good work and gives every length class its part of it',
  explanation: 'A limit that fits a short prompt is a fraction of a second, one that fits a long prompt is seconds, and they share a server. A queue that is bounded by predicted time alone fills itself with the calls that can wait longest, the long ones; a server without any serves whoever ' +
    'still counts at the end of an endless line. Balanced admission counts, for each class of prompt lengths, how many of its calls were served of those that came, and refuses at once a call of a class that is ahead while others wait for places: each class gets its part, and the work that the ' +
    'server does remains as much. A long prompt is evaluated alone, so that a short one does not wait for it in a common batch.',
  application: [
    contrastCheck('good-work-per-capacity', 'lower end', {
      id: 'good-work-per-capacity',
      what: 'predicted service seconds of good answers per second ÷ those of the closed loop of the same block, with admission, lower end of the interval',
      source: LOAD,
      band: () => [0.9, unbounded]
    }),
    {
      id: 'worst-class-to-overall',
      metric: 'good-share',
      what: 'share of good answers of the worst length class ÷ that of all calls, with admission',
      source: LOAD,
      value: (views, plan) => worstToOverall(plan, views, 'after'),
      band: () => [ALIKE, unbounded]
    },
    {
      id: 'worst-class-without',
      metric: 'good-share',
      what: 'share of good answers of the worst length class without admission',
      source: LOAD,
      value: (views, plan) => worstShare(plan, views, 'before'),
      band: () => [0, 0.2]
    },
    ttftWithinLimit
  ],
  os: [
    socketsAfter,
    {
      id: 'sockets-before',
      metric: 'server-sockets',
      what: 'median sockets to llama-server without',
      source: SOCKETS,
      value: views => sockets(views, 'before'),
      band: (_draft, { server: { slots } }) => [2 * slots, unbounded]
    }
  ],
  control: [sameMachineByContrast],
  mechanism: [
    deferred('deferred-after', 'after', [0, 0]),
    deferred('deferred-before', 'before', [1, unbounded]),
    {
      id: 'refused-for-balance',
      metric: 'refused-share',
      what: 'share of the refusals with admission that were made so that another length gets its part',
      source: RECORDS,
      value: views => ratioOfSums(views, 'after', ({ block }) => block.records.filter(({ reason }) => reason === 'balance').length, ({ block }) => block.records.filter(({ outcome }) => outcome === 'refused').length),
      band: () => [0.05, 1]
    }
  ]
}

export const admissionUnequal = openLoopEntryOf('admission-serves-all-lengths', draft => isBelowCapacity(draft) ? changesNothing : servesAllLengths)
