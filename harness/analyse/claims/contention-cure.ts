import { cpuPerToken } from '../contention.js'
import { ofCondition } from '../gate.js'
import type { StreamsView } from '../streams-summary.js'
import { streamsEntry } from './checked-claim.js'
import type { Band } from './checks.js'
import type { ClaimEntry } from './contract.js'
import { PROC } from './sources.js'
import { COLD_CACHES, cureChecks, othersCheck, queueCheck, ratioCheck, rivalChecks, withIt, without, type StreamsCheck } from './streams-checks.js'

type BandOf = NonNullable<StreamsCheck['band']>

/** One that gives llama-server back the CPU that hogs took from it. */
export interface ContentionCure {
  readonly id: string
  readonly name: string
  readonly statement: string
  readonly explanation: string
  /** Tokens/s with ÷ without, under the interference. */
  readonly cure: BandOf
  /** Shares of its time that llama-server stands in run queues. Without pidstat its HTTP threads, which wait for the same CPU, are in it, so without the cure there is no upper end below 1. */
  readonly queue: { readonly before: BandOf, readonly after: Band }
  /** Asked under the interference. */
  readonly mechanism: readonly StreamsCheck[]
  /** CPUs that everybody else uses in both arms: the hogs have not gone. */
  readonly others: { readonly before: Band, readonly after: Band }
  /** The rival of its own, such as that the machine did less work for a token. */
  readonly control: StreamsCheck
  /** What blocks with it read back: it was on. */
  readonly readBack: readonly [what: string, value: RegExp]
}

/** CPU time per token: on which the cure has no part, or which is the mechanism. */
export function workCheck (what: string, band: Band): StreamsCheck {
  return ratioCheck(cpuPerToken, { id: 'work-ratio', metric: 'server-cpu-per-token', what: `CPU time per token, with ÷ without: ${what}`, source: PROC, band: () => band, quiet: null })
}

export const notFaster = workCheck('the machine did not get faster; beside a hog caches are cold, which costs up to 1.3 times', [1 / COLD_CACHES, 1.1])

/** Under the interference it cures; on the quiet host (`--no-setting`) it changes nothing. Two different predictions, one for each plan. */
export function contentionCure (of: ContentionCure): ClaimEntry {
  const [withoutIt, withThat] = [`without ${of.name}`, `with ${of.name}`]
  return streamsEntry({
    id: of.id,
    statement: of.statement,
    quietStatement: `On a quiet host ${of.name} changes nothing`,
    explanation: of.explanation,
    application: cureChecks('tokens-per-second', 'higher', of.cure),
    os: [queueCheck(without, withoutIt, { band: of.queue.before }), queueCheck(withIt, withThat, { band: () => of.queue.after })],
    mechanism: [wasOn(of.readBack), ...of.mechanism],
    control: [othersCheck(without, withoutIt, { band: () => of.others.before }), othersCheck(withIt, withThat, { band: () => of.others.after }), of.control, ...rivalChecks]
  })
}

/** On the quiet host, where it changes nothing, there is no other sign of it. */
export function wasOn ([what, value]: readonly [what: string, value: RegExp]): StreamsCheck {
  return {
    id: 'in-effect',
    metric: 'blocks',
    what: `share of the blocks with it that read back ${what}: it was on all the same`,
    source: 'read back from the kernel and llama-server (block.json)',
    value: views => shareOfBlocks(ofCondition(views, withIt), readBack => value.test(readBack[what] ?? '')),
    band: null,
    quiet: [1, 1]
  }
}

function shareOfBlocks (views: readonly StreamsView[], is: (readBack: Readonly<Record<string, string>>) => boolean): number | null {
  return views.length === 0 ? null : views.filter(({ block }) => is(block.evidence.readBack)).length / views.length
}
