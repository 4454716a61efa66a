/** What is claimed of admission where the load is less than the server can do: there is nothing to mitigate. */
import type { CheckedClaim } from './checked-claim.js'
import { contrastCheck } from './checks.js'
import type { OfOpenLoop, OpenLoopDraft } from './contract.js'
import { deferred, socketsAfter } from './hidden-queue.js'
import { equivalentEnd } from './open-loop-checks.js'
import { sameMachineByContrast } from './same-machine.js'
import { LOAD } from './sources.js'

/** Offered calls per second against the calibrated capacity on the same mix. */
export function isBelowCapacity ({ workload, calibration }: OpenLoopDraft): boolean {
  return workload.ratePerSecond < calibration.capacityPerSecond
}

export const changesNothing: Omit<CheckedClaim<OfOpenLoop>, 'id'> = {
  statement: 'Below the server’s capacity there is nothing to mitigate, and admission changes nothing',
  explanation: 'Admission holds a call back only while every slot is taken, and refuses one only when it could not be answered in time (or, where it balances lengths, while others hold places and its length is ahead). The farther a load is below the capacity, the more seldom that is; ' +
    'near it, lines form by chance, and this claim need not hold.',
  application: [
    equivalentEnd('good-per-second', 'good requests per second', 'lower end'),
    equivalentEnd('good-per-second', 'good requests per second', 'upper end'),
    contrastCheck('ttft-answered-p50', 'ratio', { id: 'ttft-p50', what: 'median TTFT of the answered calls, with ÷ without', source: LOAD, band: () => [0.8, 1.25] })
  ],
  os: [socketsAfter],
  control: [sameMachineByContrast],
  mechanism: [deferred('deferred-before', 'before', [0, 0]), deferred('deferred-after', 'after', [0, 0])]
}
