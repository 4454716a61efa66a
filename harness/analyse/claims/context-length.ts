import { middleOf } from '../contention.js'
import type { StreamsView } from '../streams-summary.js'
import { factorEntry, noLegs } from './factor-claim.js'
import { around, cachedShare, calibrated, cellOf, cpuMsPerCall, differenceCell, dosesOf, gap, LOAD, PROC, promptMsPerToken, ratioCell, TIMINGS, ttft } from './factor-figures.js'

/** Of a token of the prompt, ÷ that of the calibrated prompt: in a long one attention has more to look back at, so the band reaches further up. */
const PER_TOKEN = [0.75, 1.45] as const
/** The tokens out of a call cost more behind a long prompt, too, and are in the CPU time of the call. */
const PER_CALL = [0.75, 1.7] as const

/** Time to the first token goes with the tokens of the prompt that are computed; time between tokens goes with all that are looked back at. */
export const contextLength = factorEntry('context-length', [{
  id: 'context-length',
  statement: 'The time to the first token is in proportion to the tokens of the prompt that must be computed, and each token after it takes longer by what it must read of the context',
  explanation: 'A prompt is computed before the first token can be: each of its tokens passes through all weights, so the time goes with their number, and a little more where attention looks back at many. Tokens that a slot still holds are not computed again and cost no time, ' +
    'but each later token reads their keys and values all the same: the gap grows with the length of the context, whoever computed it.',
  rivals: true,
  legs: (draft, manifest) => {
    const doses = dosesOf(draft, 'prompt words')
    const [shortest, base, longest] = [doses[0], doses.find(({ dose }) => dose === draft.workload.promptWords), doses.at(-1)]
    const cached = draft.conditions.find(({ workload }) => workload?.cachePrompt === true)?.id
    if (shortest === undefined || base === undefined || longest === undefined || cached === undefined) return noLegs
    const { prompt } = calibrated(draft, manifest) ?? {}
    const perToken = prompt === undefined ? undefined : prompt.ms / prompt.tokens
    const tokensIn = (words: number): number => prompt === undefined ? NaN : words * prompt.tokens / base.dose
    const ms = (words: number): number | undefined => perToken === undefined ? undefined : perToken * tokensIn(words)
    const half = doses.at(-2) ?? longest
    return {
      application: [{ id: 'ttft', metric: 'ttft', what: 'TTFT, ms: tokens of the prompt × time for one in the calibration', source: LOAD, cells: doses.map(({ id, dose }) => cellOf(id, ttft, around(ms(dose), PER_TOKEN))) }],
      os: [{ id: 'cpu-per-call', metric: 'server-cpu-per-call', what: 'CPU time of llama-server for a call, ms more: that of the further tokens in the prompt', source: PROC, cells: doses.filter(({ dose }) => dose > base.dose).map(({ id, dose }) => differenceCell(base.id, id, cpuMsPerCall, around(ms(dose - base.dose), PER_CALL))) }],
      mechanism: [
        { id: 'prompt-ms-per-token', metric: 'prompt-ms', what: 'time for one token of the prompt, ms: the same in each', source: TIMINGS, cells: doses.map(({ id }) => cellOf(id, promptMsPerToken, around(perToken, PER_TOKEN))) },
        { id: 'gap-grows', metric: 'itl', what: `median gap, growth from ${shortest.id} to ${longest.id} ÷ growth to ${half.id}: as the lengths of the context`, source: LOAD, cells: [{ id: longest.id, value: views => growthRatio(views, shortest.id, half.id, longest.id), band: around((longest.dose - shortest.dose) / (half.dose - shortest.dose), [0.7, 1.3]) }] },
        { id: 'gap-longer', metric: 'itl', what: 'median gap: longer behind the longest prompt than behind the shortest', source: LOAD, cells: [ratioCell(shortest.id, longest.id, gap, [1.1, 10])] }
      ],
      control: [
        { id: 'cached-ttft', metric: 'ttft', what: 'TTFT of a prompt as long as the longest, of which a slot still holds nearly all, ÷ that when all is computed', source: LOAD, cells: [ratioCell(longest.id, cached, ttft, [0, 0.1])] },
        { id: 'cached-share', metric: 'cached-tokens', what: 'share of the prompt that was not computed', source: TIMINGS, cells: [cellOf(cached, cachedShare, [0.95, 1]), cellOf(longest.id, cachedShare, [0, 0])] },
        { id: 'cached-gap', metric: 'itl', what: 'median gap behind it: what is read back is as long', source: LOAD, cells: [ratioCell(longest.id, cached, gap, [0.8, 1.25])] }
      ]
    }
  }
}])

function growthRatio (views: readonly StreamsView[], from: string, half: string, whole: string): number | null {
  const [a, b, c] = [from, half, whole].map(id => middleOf(views, id, gap))
  return a === null || b === null || c === null || a === undefined || b === undefined || c === undefined || b <= a ? null : (c - a) / (b - a)
}
