import type { Contrast, Population, StreamsBlockSummary, StreamsPlan } from '../types.js'
import { factorEffects } from './factorial.js'
import { pairsOf } from './gate.js'
import { outcomeSpec } from './outcomes.js'
import { closeFamily, ofPairs } from './paired.js'
import { wholeRate, type StreamsView } from './streams-summary.js'
import { judgedPairs } from './treated.js'
import { fewestPairs, fewestRepeats } from './verdict.js'

type Outcome = { readonly metric: string, readonly population: Population, readonly value: (summary: StreamsBlockSummary) => number | null }

const outcomes: readonly Outcome[] = [
  { metric: 'itl-p99', population: 'answered', value: summary => summary.itlP99Ms },
  { metric: 'tokens-per-second', population: 'block', value: wholeRate },
  { metric: 'itl-p50', population: 'answered', value: summary => summary.itlP50Ms },
  { metric: 'start-to-first-token', population: 'block', value: summary => summary.startToFirstTokenMs },
  { metric: 'ttft-p50', population: 'answered', value: summary => summary.ttftP50Ms },
  { metric: 'request-latency-p50', population: 'answered', value: summary => summary.requestLatencyP50Ms },
  { metric: 'server-cpu-per-token', population: 'block', value: summary => summary.serverCpuUsecPerToken }
]

/**
 * Each condition ÷ its baseline, paired by repeat. A comparison is judged by all outcomes that its plan names; a sweep has no primary and is
 * judged by two (its many conditions share one Holm family), from `fewestRepeats` repeats on: below that it describes.
 */
export function streamsContrasts (plan: StreamsPlan, views: readonly StreamsView[]): Contrast[] {
  const used = outcomes.filter(outcome => plan.outcomes.some(spec => spec.metric === outcome.metric))
  const opens = judgedPairs(plan).flatMap(({ a, b, suffix }) => {
    const pairs = pairsOf(views, a, b)
    return used.map(({ metric, population, value }) =>
      ofPairs(plan, { id: metric + suffix, a, b, spec: outcomeSpec(plan, metric), population }, pairs, view => value(view.summary)))
  })
  const closed = closeFamily(opens, plan, plan.design === 'sweep' ? fewestRepeats : fewestPairs)
  const primary = outcomes.find(outcome => plan.outcomes.some(spec => spec.primary && spec.metric === outcome.metric))
  const effects = primary === undefined ? [] : factorEffects(plan, views, primary.population, () => view => primary.value(view.summary))
  return [...closed.filter(contrast => contrast.primary), ...effects, ...closed.filter(contrast => !contrast.primary)]
}
