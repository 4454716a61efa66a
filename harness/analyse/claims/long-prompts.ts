/** The claims of three ways to keep long prompts out of the way of short ones: one table of numbers, with bands for each way. */
import type { OpenLoopView } from '../block-summary.js'
import { busyCpus, busyCpusOf, longestReleaseMs, longPromptTokens, longSideBySide, longTtftMeanMs, longUnanswered, shortGapP99Ms, shortTtftMeanMs, shortTtftP95Ms, tokensPerDecode, undisturbedTtftP50Ms } from '../long-prompts.js'
import { ratio } from '../ratio.js'
import { openLoopEntry } from './checked-claim.js'
import type { Band } from './checks.js'
import type { ClaimEntry, OpenLoopDraft } from './contract.js'
import { both, unbounded } from './leg.js'
import { equivalentEnd, withToWithout, type OpenLoopCheck } from './open-loop-checks.js'
import { SAME_MACHINE, sameMachine } from './same-machine.js'
import { LOAD, RECORDS } from './sources.js'

const timings = 'llama-server’s timings, in the gateway’s records'
const counters = 'llama-server’s counters prompt_tokens_total, tokens_predicted_total, n_decode_total'

type FigureOf = (views: readonly OpenLoopView[], condition: string) => number | null
type Compares = Required<Pick<OpenLoopCheck, 'value' | 'compared'>>

/** with ÷ without. */
function afterToBefore (figure: FigureOf): Compares {
  return { value: views => ratio(figure(views, 'after'), figure(views, 'before')), compared: views => both(figure(views, 'before'), figure(views, 'after')) }
}

function beforeToAfter (figure: FigureOf): Compares {
  return { ...afterToBefore(figure), value: views => ratio(figure(views, 'before'), figure(views, 'after')) }
}

const checks = {
  shortTtft: { id: 'short-ttft-p95-gain', metric: 'ttft', what: 'p95 of the short calls’ time to first token (ms), without ÷ with', source: LOAD, ...beforeToAfter(shortTtftP95Ms) },
  shortMean: { id: 'short-ttft-mean-gain', metric: 'ttft', what: 'mean of the short calls’ time to first token (ms), without ÷ with', source: LOAD, ...beforeToAfter(shortTtftMeanMs) },
  shortGap: { id: 'short-gap-p99', metric: 'itl', what: 'p99 of the gaps between tokens of the short calls with it, milliseconds', source: LOAD, value: views => shortGapP99Ms(views, 'after') },
  longTtft: { id: 'long-ttft-mean-ratio', metric: 'ttft', what: 'mean time to first token of the long calls (ms), with ÷ without', source: LOAD, ...afterToBefore(longTtftMeanMs) },
  longUnanswered: { id: 'long-unanswered', metric: 'unanswered', what: 'long calls without an answer with it', source: LOAD, value: views => longUnanswered(views, 'after') },
  cpus: { id: 'busy-cpus-ratio', metric: 'cpu', what: 'CPUs that llama-server kept busy, with ÷ without: the same work in another order', source: 'pidstat', ...afterToBefore(busyCpus) },
  undisturbed: { id: 'undisturbed-ttft-p50-ratio', metric: 'ttft', what: 'median time to first token of short calls that met no long one, with ÷ without: where nothing is in the way, nothing is gained', source: LOAD, ...afterToBefore(undisturbedTtftP50Ms) },
  promptTokens: { id: 'long-prompt-tokens-ratio', metric: 'prompt-tokens', what: 'prompt tokens that a long call evaluates in one go (median), with ÷ without', source: timings, ...afterToBefore(longPromptTokens) },
  release: { id: 'longest-release-ms', metric: 'release', what: 'the longest that a place was kept after the client of a long call had left in its prefill, milliseconds: a chunk, and half as much for what runs beside it', source: 'the gateway’s records', value: views => longestReleaseMs(views, 'after'), compared: views => both(longestReleaseMs(views, 'before'), longestReleaseMs(views, 'after')) },
  sideBySide: { id: 'long-side-by-side', metric: 'side-by-side', what: 'long prompts that began to be evaluated while another one was, with it', source: RECORDS, value: views => longSideBySide(views, 'after'), compared: views => both(longSideBySide(views, 'before'), longSideBySide(views, 'after')) },
  perDecode: { id: 'tokens-per-decode-ratio', metric: 'tokens-per-decode', what: 'tokens in a decode call of llama-server, with ÷ without', source: counters, ...afterToBefore(tokensPerDecode) }
} satisfies Readonly<Record<string, Omit<OpenLoopCheck, 'band'>>>

type CheckName = keyof typeof checks

type Bands = Partial<Readonly<Record<CheckName, Band>>>

/** The same in every claim: where nothing is gained, or nothing should change. */
const COMMON: Bands = { longUnanswered: [0, 0], cpus: [0.8, 1.25], undisturbed: [0.75, 1.35] }

interface Kind {
  readonly id: string
  readonly statement: string
  readonly explanation: string
  /** Bands of its own, from the plan where they follow from it. */
  readonly bands: (draft: OpenLoopDraft) => Bands
  /** What the short ones gain is told by. */
  readonly gain: 'shortTtft' | 'shortMean'
  /** Some clients of long calls leave. */
  readonly leavers?: true
  /** One long prompt at a time. */
  readonly apart?: true
}

function entryOf ({ bands, gain, leavers, apart, ...told }: Kind): ClaimEntry {
  const check = (name: CheckName): OpenLoopCheck => ({ ...checks[name], band: draft => ({ ...COMMON, ...bands(draft) })[name] })
  // By --no-setting nobody leaves.
  const ofLeavers: OpenLoopCheck[] = leavers === undefined ? [] : [{ ...check('release'), quiet: null }]
  const ofLane: OpenLoopCheck[] = apart === undefined ? [] : [{ ...check('sideBySide'), byMeaning: [0, 0] }]
  return openLoopEntry({
    ...told,
    application: [check(gain), check('shortGap'), check('longTtft'), check('longUnanswered')],
    os: [check('cpus')],
    control: [sameMachine('with ÷ without: it was no faster', [SAME_MACHINE[0], unbounded]), check('undisturbed')],
    mechanism: [check('promptTokens'), check('perDecode'), ...ofLeavers, ...ofLane]
  })
}

/** Of the treated side; milliseconds. */
function chunkMsOf ({ conditions }: OpenLoopDraft): number {
  const options: unknown = conditions.find(({ id }) => id === 'after')?.policyOptions?.['admission']?.['preemptiblePrefill']
  const chunkMs: unknown = Reflect.get(Object(options), 'chunkMs')
  if (typeof chunkMs !== 'number') throw new Error('the claim preemptible-prefill needs after.policies.admission.preemptiblePrefill.chunkMs in the experiment: the gaps that it predicts follow from it')
  return chunkMs
}

export const preemptiblePrefill = entryOf({
  id: 'preemptible-prefill',
  statement: 'Long prompts that are evaluated chunk by chunk no longer stand in the way of short ones, and hardly lose by it',
  explanation: 'llama-server evaluates prompts in common batches: while a long one is evaluated, everybody else gets one token a batch, and who comes with a short prompt waits for the batch at work and, in a higher slot, for the whole prompt. ' +
    'Fed in chunks of a fraction of a second, which wait while others are evaluated and leave those that decode their share, it is in nobody’s way for longer than a chunk. The work is the same; only its order is another.',
  leavers: true,
  gain: 'shortTtft',
  bands: draft => ({ shortTtft: [5, unbounded], shortGap: [0, 2 * chunkMsOf(draft)], longTtft: [0, 1.5], promptTokens: [0, 0.25], perDecode: [0, 0.97], release: [0, 1.5 * chunkMsOf(draft)] })
})

/** A chunk that is longer than every prompt: what is left is what else the two sides differ in. */
export const preemptiblePrefillControl = entryOf({
  id: 'preemptible-prefill-control',
  statement: 'With a chunk that is longer than every prompt, preemptible prefill changes nothing',
  explanation: 'Were the gain in anything but the chunks (in named slots, in the round trips that tokenize a prompt), it would be here, too.',
  gain: 'shortTtft',
  bands: () => ({ shortTtft: [0.7, 1.43], shortGap: [0, unbounded], longTtft: [0.7, 1.43], promptTokens: [0.9, 1.1], perDecode: [0.9, 1.1] })
})

export const prefillLane = entryOf({
  id: 'prefill-lane',
  statement: 'A prefill lane keeps long prompts from being evaluated side by side; what the short ones gain by that is bounded, and the long ones hardly lose',
  explanation: 'Two long prompts at once end no sooner than one after the other, and freeze who decodes for as long. The lane lets one be evaluated at a time; a call that comes while it is waits for all of it, so what is gained is bounded.',
  apart: true,
  gain: 'shortTtft',
  bands: () => ({ shortTtft: [0.5, 3], shortGap: [0, unbounded], longTtft: [0, 1.5], promptTokens: [0.9, 1.1], perDecode: [0.8, 1.2] })
})

export const shortestPrefill = entryOf({
  id: 'shortest-prefill',
  statement: 'In a line that has formed, short prompts that go before long ones wait far less, and the long ones hardly longer',
  explanation: 'With as many calls as places it is the line in which a call waits. Who needs a tenth of the time of the one before it goes first; nobody stands back for longer than the aging time. What a long prompt does once it has its place it still does.',
  gain: 'shortMean',
  bands: () => ({ shortMean: [1.2, unbounded], shortGap: [0, unbounded], longTtft: [0, 1.5], promptTokens: [0.9, 1.1], perDecode: [0.8, 1.2] })
})

/** Calls with short prompts only, far below the capacity. */
export const preemptiblePrefillLight = openLoopEntry({
  id: 'preemptible-prefill-at-light-load',
  statement: 'Where no prompt is long and no line forms, preemptible prefill changes nothing',
  explanation: 'A prompt that is evaluated within one chunk is not cut. What is left of the policy is the round trip in which llama-server’s own tokenizer counts it, a few milliseconds.',
  application: [equivalentEnd('ttft-answered-p50', 'median TTFT', 'lower end'), equivalentEnd('ttft-answered-p50', 'median TTFT', 'upper end')],
  os: [{ ...checks.cpus, ...withToWithout(busyCpusOf), band: () => SAME_MACHINE }],
  control: [sameMachine('with ÷ without: the machine was the same')],
  mechanism: [{ ...checks.perDecode, band: () => SAME_MACHINE }]
})
