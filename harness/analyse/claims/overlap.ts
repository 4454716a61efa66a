import type { OpenLoopView } from '../block-summary.js'
import { ratio } from '../ratio.js'
import { tokensPerDecode } from '../streams-summary.js'
import { changesNothing, isBelowCapacity } from './below-capacity.js'
import { openLoopEntryOf, type CheckedClaim } from './checked-claim.js'
import type { OfOpenLoop, OpenLoopDraft } from './contract.js'
import { deferred, socketsAfter } from './hidden-queue.js'
import { unbounded } from './leg.js'
import { ratioOfSums, ttftWithinLimit, withToWithout } from './open-loop-checks.js'
import { sameMachineByContrast } from './same-machine.js'
import { LOAD, PROC_AND_TOKENS, RECORDS } from './sources.js'

/** A loss that would matter. What is gained, (n + 1) ÷ n of the steps at most, is less than good answers of some pairs of blocks can tell. */
const MATTERS = 1.1

const METRICS = 'llama-server’s counters llamacpp:tokens_predicted_total and llamacpp:n_decode_total'

const fillsSlots: Omit<CheckedClaim<OfOpenLoop>, 'id'> = {
  statement: 'Where the next call is sent while the last token of the one before is on its way, no slot misses a step between two calls',
  explanation: 'llama-server looks for new calls between two steps of its common batch. One that is sent when the answer before it is over is there when the next step has begun, and begins one step later; for that step its slot is empty. An answer of n tokens then takes its slot for n + 1 steps, and ' +
    'the others pay for a step with fewer tokens in it. The gateway counts the tokens that pass, and knows by max_tokens which step is the last one: what is sent then is there when the slot is free.',
  application: [
    {
      id: 'good-per-capacity-ratio',
      metric: 'good-per-capacity',
      what: 'good requests/s ÷ capacity of the same block, with ÷ without: nothing is lost by it',
      source: LOAD,
      ...withToWithout(({ summary }) => summary.goodPerCapacity),
      band: () => [1 / MATTERS, unbounded]
    },
    { ...ttftWithinLimit, what: 'p95 of TTFT ÷ limit of its class of the answered calls, with it' }
  ],
  os: [
    { ...socketsAfter, what: 'median sockets to llama-server, with it: one a slot, and those of the pool' },
    {
      id: 'cpu-per-token',
      metric: 'server-cpu-per-token',
      what: 'CPU time of llama-server per token under load ÷ in the closed loops of the same block, with ÷ without: a step with more tokens in it is no dearer for each',
      source: PROC_AND_TOKENS,
      ...withToWithout(({ summary: { serverCpuUsecPerToken, closedLoopCpuUsecPerToken } }) => ratio(serverCpuUsecPerToken, closedLoopCpuUsecPerToken)),
      band: () => [0, MATTERS]
    }
  ],
  control: [sameMachineByContrast],
  mechanism: [
    {
      id: 'tokens-per-decode',
      metric: 'tokens-per-decode',
      what: 'tokens written by a step of llama-server, with ÷ without: between a half and all of the step that an answer’s slot was empty, and half as much again',
      source: METRICS,
      ...withToWithout(({ block }) => tokensPerDecode(block)),
      band: draft => [1 + 0.5 / tokensOfAnswer(draft), 1 + 1.5 / tokensOfAnswer(draft)]
    },
    {
      id: 'sent-at-a-last-token',
      metric: 'overlaps',
      what: 'share of the calls sent to llama-server that were sent at another one’s last token, with it',
      source: RECORDS,
      value: views => ratioOfSums(views, 'after', overlapping, sent),
      band: () => [0.5, 1]
    },
    {
      id: 'sent-at-a-last-token-without',
      metric: 'overlaps',
      what: 'the same without',
      source: RECORDS,
      value: views => ratioOfSums(views, 'before', overlapping, sent),
      band: () => [0, 0]
    },
    { ...deferred('deferred-after', 'after', [0, 0]), what: 'median calls in llama-server’s hidden queue, with it' }
  ]
}

/** By the shares of its classes; of lengths that are drawn, the median. */
function tokensOfAnswer ({ workload: { classes } }: OpenLoopDraft): number {
  return classes.reduce((sum, { share, maxTokens }) => sum + share * (typeof maxTokens === 'number' ? maxTokens : maxTokens.median), 0)
}

function sent ({ block }: OpenLoopView): number {
  return block.records.filter(({ admittedAtMs }) => admittedAtMs !== undefined).length
}

function overlapping ({ block }: OpenLoopView): number {
  return block.records.filter(({ decisions }) => decisions.some(({ facts }) => facts['overlaps'] !== undefined)).length
}

const changesNothingBelow: Omit<CheckedClaim<OfOpenLoop>, 'id'> = {
  ...changesNothing,
  statement: 'Below the server’s capacity a call seldom waits for another one’s slot, and when it is sent changes nothing',
  explanation: 'Only a call that waits for a place can be sent at another one’s last token. The farther a load is below the capacity, the fewer wait.'
}

export const overlap = openLoopEntryOf('overlap-fills-slots', draft => isBelowCapacity(draft) ? changesNothingBelow : fillsSlots)
