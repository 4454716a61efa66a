import { slope } from '../../stats/slope.js'
import { middleOf, type Figure } from '../contention.js'
import type { StreamsView } from '../streams-summary.js'
import { factorEntry, noLegs } from './factor-claim.js'
import { around, cachedShare, calibrated, cellOf, computingShare, cpuMsPerCall, dosesOf, gap, promptMsPerToken, quotient, ratioCell, ttft } from './factor-figures.js'
import { LOAD, PROC, TIMINGS } from './sources.js'

/**
 * Times are judged as ratios to the baseline of the same run, whose blocks stand between the others: a machine that changes its speed between calibration
 * and blocks, by a fifth in the first full run, then does not move them. In a long prompt attention has more to look back at, so the band reaches further up.
 */
const PER_TOKEN = [0.75, 1.45] as const
/** The tokens out of a call cost more behind a long prompt, too, and are in the CPU time of the call. */
const PER_CALL = [0.75, 1.7] as const
const ON_THE_LINE = [0.8, 1.3] as const

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
    const server = calibrated(draft, manifest)
    const others = doses.filter(({ id }) => id !== base.id)
    /** A call whose prompt has so many words, by the calibration's times of a prompt and of a gap. */
    const callMs = (words: number): number | undefined => server?.prompt === undefined ? undefined : server.prompt.ms * words / base.dose + (draft.workload.predictTokens - 1) * server.gapMs
    const callRatio = (words: number): number | undefined => quotient(callMs(words), callMs(base.dose))
    return {
      application: [{ id: 'ttft', metric: 'ttft', what: `TTFT ÷ that of ${base.id}: as the words of the prompt`, source: LOAD, cells: others.map(({ id, dose }) => ratioCell(base.id, id, ttft, around(dose / base.dose, PER_TOKEN))) }],
      os: [{ id: 'cpu-per-call', metric: 'server-cpu-per-call', what: `CPU time of llama-server for a call ÷ that of ${base.id}: as the time of its prompt and of its tokens out in the calibration`, source: PROC, cells: others.map(({ id, dose }) => ratioCell(base.id, id, cpuMsPerCall, around(callRatio(dose), PER_CALL))) }],
      mechanism: [
        { id: 'prompt-ms-per-token', metric: 'prompt-ms', what: `time for one token of the prompt ÷ that of ${base.id}: the same in each`, source: TIMINGS, cells: others.map(({ id }) => ratioCell(base.id, id, promptMsPerToken, around(1, PER_TOKEN))) },
        { id: 'computing', metric: 'ttft', what: 'of the TTFT, the share in which the prompt is computed: it waits for nothing else', source: `${TIMINGS}, ${LOAD}`, cells: doses.map(({ id }) => cellOf(id, computingShare, [0.7, 1.05])) },
        { id: 'gap-grows', metric: 'itl', what: 'median gap ÷ time for one token of the prompt in the same block, ÷ what a straight line over the lengths through all shorter ones says: it grows as the context', source: `${LOAD}, ${TIMINGS}`, cells: [{ id: longest.id, value: views => onTheLine(views, doses), band: ON_THE_LINE }] },
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

/** In units of the pace of its own block: a length that met a slower machine, in two of three blocks of the second full run, does not bend the line. */
const gapAtPace: Figure = view => {
  const [gapMs, tokenMs] = [gap(view), promptMsPerToken(view)]
  return gapMs === null || tokenMs === null || tokenMs <= 0 ? null : gapMs / tokenMs
}

/** Of the longest; the line is fitted to the others, since a ratio of two growths has the noise of three gaps in it, most of all that of the shortest. */
function onTheLine (views: readonly StreamsView[], doses: ReadonlyArray<{ readonly id: string, readonly dose: number }>): number | null {
  const points = doses.flatMap(({ id, dose }) => {
    const paced = middleOf(views, id, gapAtPace)
    return paced === null ? [] : [{ dose, paced }]
  })
  const longest = points.at(-1)
  const shorter = points.slice(0, -1)
  const steep = slope(shorter.map(({ dose }) => dose), shorter.map(({ paced }) => paced))
  if (points.length < doses.length || longest === undefined || steep === null) return null
  const mean = (of: (point: { readonly dose: number, readonly paced: number }) => number): number => shorter.reduce((sum, point) => sum + of(point), 0) / shorter.length
  return longest.paced / (mean(({ paced }) => paced) + steep * (longest.dose - mean(({ dose }) => dose)))
}
