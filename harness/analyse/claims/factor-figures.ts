/** Figures of blocks of streams that the claims of factors rest on: medians over the valid blocks of a condition, ratios and differences over repeats; null where one lacks it. */
import { calibratedServer } from '../../plan/streams-plan.js'
import type { CalibratedServer, Condition, Manifest, OsSample } from '../../types.js'
import { bothOf, differenceOf, middleOf, middleOfPairs, ratioOf, timeOf, type Figure } from '../contention.js'
import { computedPromptTokens, tokensPerDecode, ttftMs, type StreamsView } from '../streams-summary.js'
import { middle } from '../window.js'
import type { Band } from './checks.js'
import type { StreamsDraft } from './contract.js'
import type { FactorCell } from './factor-claim.js'
import { grownBy, tokensOf } from './memory-figures.js'

export const ttft: Figure = timeOf(({ summary }) => summary.ttftP50Ms)
export const latency: Figure = timeOf(({ summary }) => summary.requestLatencyP50Ms)
/** Median gap, without the floor of a percentile: all gaps of a stream are wanted as they were. */
export const gap: Figure = timeOf(({ gapsMs }) => middle(gapsMs))

const answered = ({ judged }: StreamsView) => judged.filter(({ outcome }) => outcome === 'answered')

function inGaps (ofMs: Figure): Figure {
  return view => {
    const [ms, gapMs] = [ofMs(view), gap(view)]
    return ms === null || gapMs === null || gapMs <= 0 ? null : ms / gapMs
  }
}

/** Tokens of the prompt that were not computed because a slot still held them, share of the prompt. */
export const cachedShare: Figure = view => middle(answered(view).flatMap(({ promptTokens, cachedTokens }) => promptTokens === undefined || cachedTokens === undefined ? [] : [cachedTokens / promptTokens]))

/** llama-server's own time for the prompt ÷ tokens of it that it computed, milliseconds. */
export const promptMsPerToken: Figure = timeOf(view => middle(answered(view).flatMap(call => {
  const [tokens = 0] = computedPromptTokens(call)
  return call.promptMs === undefined || tokens <= 0 ? [] : [call.promptMs / tokens]
})))

/** Of the time to the first token, the share in which llama-server computed the prompt. */
export const computingShare: Figure = view => middle(answered(view).flatMap(call => ttftMs(call).flatMap(ms => call.promptMs === undefined ? [] : [call.promptMs / ms])))

/** llama-server's own time for what it computed of the prompt, in median gaps of the same block. */
export const promptMsInGaps: Figure = inGaps(view => middle(answered(view).flatMap(call => call.promptMs ?? [])))

/** Time to the first token in median gaps of the same block: a machine that is slow for a few seconds has both longer. */
export const ttftInGaps: Figure = inGaps(ttft)

/** CPU time of llama-server between the readings just before and after the load ÷ calls answered, milliseconds. */
export const cpuMsPerCall: Figure = timeOf(view => {
  const usec = grownBy(({ process }) => process?.cpuUsec)(view)
  return usec === null || view.summary.answered === 0 ? null : usec / 1000 / view.summary.answered
})

/** Of llama-server between the readings just before and after the load ÷ tokens out, milliseconds. */
export const cpuMsPerToken: Figure = timeOf(view => {
  const usec = perToken(({ cpuUsec }) => cpuUsec)(view)
  return usec === null ? null : usec / 1000
})

/** What llama-server's process shows when the load begins; counters are since its own start. */
export function untilLoad (pick: (process: NonNullable<OsSample['process']>) => number | undefined): Figure {
  return ({ block: { evidence: { osAtStart } } }) => (osAtStart?.process === undefined ? undefined : pick(osAtStart.process)) ?? null
}

/** Launch to healthy, milliseconds. */
export const startMs: Figure = ({ block: { evidence: { serverStart } } }) => serverStart === undefined ? null : serverStart.readyMs - serverStart.launchedMs

export const startToFirstToken: Figure = ({ summary }) => summary.startToFirstTokenMs

export const decodeCallsPerToken: Figure = ({ block }) => {
  const tokens = tokensPerDecode(block)
  return tokens === null || tokens === 0 ? null : 1 / tokens
}

/** Growth of a counter of the process over the load ÷ tokens out. */
export function perToken (pick: (process: NonNullable<OsSample['process']>) => number | undefined): Figure {
  return view => {
    const [grown, tokens] = [grownBy(({ process }) => process === undefined ? undefined : pick(process))(view), tokensOf(view)]
    return grown === null || tokens === 0 ? null : grown / tokens
  }
}

/** A cell of one condition. */
export function cellOf (id: string, figure: Figure, band: Band | undefined): FactorCell {
  return { id, value: views => middleOf(views, id, figure), band }
}

/** b ÷ a. */
export function ratioCell (a: string, b: string, figure: Figure, band: Band | undefined): FactorCell {
  return { id: `${b} ÷ ${a}`, value: views => middleOfPairs(views, a, b, ratioOf(figure)), compared: views => bothOf(views, a, b, figure), band, ...(figure.withPace === undefined ? {} : { atPace: true }) }
}

/** b − a. */
export function differenceCell (a: string, b: string, figure: Figure, band: Band | undefined): FactorCell {
  return { id: `${b} − ${a}`, value: views => middleOfPairs(views, a, b, differenceOf(figure)), compared: views => bothOf(views, a, b, figure), band }
}

export function quotient (a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a / b
}

/** A band around a number; undefined of an unknown one. */
export function around (value: number | undefined, [lo, hi]: Band): Band | undefined {
  return value === undefined || !Number.isFinite(value) ? undefined : [value * lo, value * hi]
}

/** The calibration of the run's own server. Undefined where no band is asked for any more. */
export function calibrated (draft: StreamsDraft, manifest: Manifest | undefined, condition: Pick<Condition, 'threads' | 'model'> = {}): CalibratedServer | undefined {
  return manifest === undefined ? undefined : calibratedServer(draft, { id: '', title: '', policies: [], knobs: [], factors: {}, ...condition }, manifest)
}

/** Conditions with a number for this factor, ascending. */
export function dosesOf ({ conditions }: Pick<StreamsDraft, 'conditions'>, factor: string): ReadonlyArray<{ readonly id: string, readonly dose: number }> {
  return conditions.flatMap(({ id, factors }) => {
    const dose = factors[factor]
    return typeof dose === 'number' ? [{ id, dose }] : []
  }).sort((a, b) => a.dose - b.dose)
}
