import { queueShare, type Figure } from '../contention.js'
import { growthOf } from '../streams-summary.js'
import { middle } from '../window.js'
import { streamsEntry } from './checked-claim.js'
import { wasOn } from './contention-cure.js'
import { LOAD, PROC } from './sources.js'
import { cureChecks, figureCheck, othersCheck, ratioCheck, rivalChecks, withIt, without, type StreamsCheck } from './streams-checks.js'

/** Since the sampler began, before the load: the measured request is the first of `before`, the second of `after`. */
const minorFaults: Figure = ({ block }) => growthOf(block.samples, sample => sample.process?.minorFaults)
const promptMs: Figure = ({ judged }) => middle(judged.flatMap(call => call.promptMs ?? []))
const gapP50: Figure = ({ summary }) => summary.itlP50Ms

/** pidstat looks once a second, which is longer than one request takes. */
function queueCheck (condition: string, what: string): StreamsCheck {
  return figureCheck(condition, queueShare, { id: `queue-${condition}`, metric: 'queue-share', what: `share of its time in run queues, ${what}: it waits for no CPU`, source: '/proc/PID/task/*/schedstat', band: () => [0, 0.1] })
}

/** The first request of a llama-server that does not warm itself up, with and without one before it. */
export const warmup = streamsEntry({
  id: 'warmup-spares-the-first-request',
  statement: 'A warm-up request takes from the first user what the first request costs',
  quietStatement: 'On a quiet host a warm-up request changes nothing',
  explanation: 'Weights and buffers are there when llama-server is healthy, but not yet in its page tables, nor its caches and threads in use: the first request pays for that with page faults. A request before it pays instead. ' +
    'Since llama-server makes an empty run of its own before it says that it is healthy, there is little left to pay for, unless that was switched off.',
  application: cureChecks('ttft-p50', 'lower', () => [0.2, 0.9]),
  os: [
    ratioCheck(minorFaults, { id: 'faults-ratio', metric: 'minor-faults', what: 'minor page faults of llama-server over the load, with ÷ without: they were had before', source: PROC, band: () => [0, 0.5], quiet: null }),
    { ...queueCheck(without, 'without'), band: null, quiet: [0, 0.1] },
    { ...queueCheck(withIt, 'with'), band: null, quiet: [0, 0.1] }
  ],
  mechanism: [
    ratioCheck(promptMs, { id: 'prompt-ratio', metric: 'prompt-ms', what: 'llama-server’s own time for the prompt, with ÷ without: that is where the time goes', source: 'llama-server (timings.prompt_ms)', band: () => [0.2, 0.9], quiet: null }),
    wasOn(['warm-up requests answered', /^(\d+) of \1$/])
  ],
  control: [
    ratioCheck(gapP50, { id: 'gap-ratio', metric: 'itl-p50', what: 'median gap, with ÷ without: the machine did not get faster', source: LOAD, band: () => [0.9, 1.1], quiet: null }),
    { ...queueCheck(without, 'without'), quiet: null },
    { ...queueCheck(withIt, 'with'), quiet: null },
    othersCheck(without, 'without', { band: null }),
    othersCheck(withIt, 'with', { band: null }),
    ...rivalChecks
  ]
})
