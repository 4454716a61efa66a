import type { Claim, Contrast, Plan, Prediction } from '../../types.js'
import { queueShare, type Figure } from '../contention.js'
import { isOpenLoop } from '../plan-kind.js'
import { growthOf, type StreamsView } from '../streams-summary.js'
import { middle } from '../window.js'
import { claimOf, figureLeg, ratioLeg, rivalLegs, rivalPredictions } from './contention-legs.js'
import type { ClaimEntry } from './contract.js'
import { allOf } from './leg.js'
import { cureLeg, quietClaim, quietPredictions, type Cure } from './contention-cure.js'

const LOAD = 'load generator (calls.ndjson)'
const ARMS = ['before', 'after'] as const

const cure: Cure = {
  id: 'warmup-spares-the-first-request',
  name: 'a warm-up request',
  explanation: 'Weights and buffers are there when llama-server is healthy, but not yet in its page tables, nor its caches and threads in use: the first request pays for that with page faults. A request before it pays instead. ' +
    'Since llama-server makes an empty run of its own before it says that it is healthy, there is little left to pay for, unless that was switched off.',
  readBack: ['warm-up requests answered', /^(\d+) of \1$/]
}

/** Since the sampler began, before the load: the measured request is the first of `before`, the second of `after`. */
const minorFaults: Figure = ({ block }) => growthOf(block.samples, sample => sample.process?.minorFaults)
const promptMs: Figure = ({ judged }) => middle(judged.flatMap(call => call.promptMs ?? []))
const gapP50: Figure = ({ summary }) => summary.itlP50Ms

const predictions: readonly Prediction[] = [
  { id: 'cure', metric: 'ttft-p50', statement: 'TTFT of the first measured request with a warm-up request before it ÷ without, and the whole interval is below 1', lo: 0.2, hi: 0.9 },
  { id: 'faults-ratio', metric: 'minor-faults', statement: 'minor page faults of llama-server over the load, with ÷ without: they were had before', lo: 0, hi: 0.5 },
  { id: 'prompt-ratio', metric: 'prompt-ms', statement: 'llama-server’s own time for the prompt, with ÷ without: that is where the time goes', lo: 0.2, hi: 0.9 },
  { id: 'gap-ratio', metric: 'itl-p50', statement: 'median gap, with ÷ without: the machine did not get faster', lo: 0.9, hi: 1.1 },
  { id: 'queue-before', metric: 'queue-share', statement: 'llama-server waits for no CPU without it', lo: 0, hi: 0.1 },
  { id: 'queue-after', metric: 'queue-share', statement: 'nor with it', lo: 0, hi: 0.1 }
]

/** The first request of a llama-server that does not warm itself up, with and without one before it. */
export const warmup: ClaimEntry = {
  id: cure.id,
  predictions: draft => draft.quiet ? quietPredictions(cure) : [...predictions, ...rivalPredictions],
  claims: (plan, _blocks, { streams, contrasts }) => isOpenLoop(plan) ? [] : [plan.quiet ? quietClaim(cure, plan, streams, contrasts) : firstRequest(plan, streams, contrasts)]
}

function firstRequest (plan: Plan, views: readonly StreamsView[], contrasts: readonly Contrast[]): Claim {
  return claimOf({
    id: cure.id,
    statement: 'A warm-up request takes from the first user what the first request costs',
    predicted: 'TTFT at least 10 % shorter, with at most half of the page faults',
    explanation: cure.explanation
  }, {
    application: cureLeg(plan, contrasts),
    os: ratioLeg(plan, views, 'minor page faults over the load, with ÷ without', '/proc/PID/stat of llama-server', ARMS, minorFaults, 'faults-ratio'),
    mechanism: ratioLeg(plan, views, 'time for the prompt, with ÷ without', 'llama-server (timings.prompt_ms)', ARMS, promptMs, 'prompt-ratio'),
    control: allOf([
      ratioLeg(plan, views, 'median gap, with ÷ without', LOAD, ARMS, gapP50, 'gap-ratio'),
      figureLeg(plan, views, 'share of its time in run queues, without', '/proc/PID/task/*/schedstat', 'before', queueShare, 'queue-before'),
      figureLeg(plan, views, 'with', '/proc/PID/task/*/schedstat', 'after', queueShare, 'queue-after'),
      ...rivalLegs(plan, views)
    ])
  })
}
