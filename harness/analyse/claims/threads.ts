import { isStreams } from '../plan-kind.js'
import type { ClaimEntry } from './contract.js'
import { cureClaim, stallLeg } from './throttling-cure.js'
import { curePredictions, quietPredictions } from './throttling-cure-predictions.js'

const explanation = 'llama-server starts as many compute threads as the machine has cores; a quota it does not see. Together they use the quota up before the period ends, ' +
  'partly by spinning for each other, and then all stand still. As many threads as the quota pays for never use it up: the same CPU time, spread over the whole period.'

/** Mitigation `threads`: no more compute threads than the quota allows to run all the time. */
export const threads: ClaimEntry = {
  id: 'threads-fit-the-quota',
  predictions: (draft, manifest) => draft.quiet ? quietPredictions() : curePredictions(draft, manifest, { steady: true }),
  claims: (plan, _blocks, { streams, contrasts }) => isStreams(plan)
    ? [cureClaim({ id: threads.id, statement: 'As many compute threads as the quota pays for are never stopped by it: the tail of the gaps goes, the rate stays or grows', explanation, mechanism: stallLeg }, plan, streams, contrasts)]
    : []
}
