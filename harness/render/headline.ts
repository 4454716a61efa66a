/** The verdict in words: the same on the terminal, in HTML and in Markdown. */
import { formatP, formatRatio, formatRatioInterval, NBSP } from './format.js'
import { metricLabel, verdictWord } from './labels.js'
import { comparesConditions, conditionValue, primaryContrast, unitsText } from './lookup.js'
import type { Contrast, ContrastVerdict, Result } from '../types.js'

export interface Headline {
  /** `BETTER`, `WORSE`, `EQUIVALENT`, `CANNOT SAY` or `NO VERDICT`. */
  readonly word: string
  readonly verdict: ContrastVerdict | undefined
  /** `good requests/s 0.45 → 4.1 (×9.1, 95 % 7.9–10.6, p 0.008, 8 pairs)` */
  readonly numbers: string
  readonly because: string
}

/** `×9.1, 95 % 7.9–10.6, p 0.008, 8 pairs`; the Holm-adjusted p where there is one. */
export function contrastNumbers (contrast: Contrast): string {
  const parts = [contrast.ratio === null ? 'no ratio' : formatRatio(contrast.ratio)]
  if (contrast.ci95 !== null) parts.push(`95${NBSP}%${NBSP}${formatRatioInterval(contrast.ci95)}`)
  if (contrast.pAdjusted !== undefined && contrast.pAdjusted !== null) parts.push(`p${NBSP}${formatP(contrast.pAdjusted)}${NBSP}(Holm)`)
  else if (contrast.p !== null) parts.push(`p${NBSP}${formatP(contrast.p)}`)
  parts.push(unitsText(contrast))
  return parts.join(', ')
}

/** `0.45 → 4.1` for a contrast of two conditions, else the names of what was compared. */
export function contrastValues (result: Result, contrast: Contrast): string {
  if (!comparesConditions(result, contrast)) return `${contrast.a}${NBSP}→${NBSP}${contrast.b}`
  const [before, after] = [contrast.a, contrast.b].map((id) => conditionValue(result, contrast.metric, id, contrast.population))
  return `${before}${NBSP}→${NBSP}${after}`
}

export function headline (result: Result): Headline {
  const primary = primaryContrast(result)
  if (primary === undefined) {
    return { word: 'NO VERDICT', verdict: undefined, numbers: 'the result has no primary contrast', because: result.complete ? '' : 'The run did not finish; what was measured is below.' }
  }
  const numbers = `${metricLabel(primary.metric)} ${contrastValues(result, primary)} (${contrastNumbers(primary)})`
  return { word: verdictWord(primary.verdict), verdict: primary.verdict, numbers, because: primary.because }
}

/** The warnings of the result, and before them what makes all its text doubtful: synthetic weights. */
export function allWarnings (result: Result): string[] {
  const { model } = result.manifest
  const own = model.synthetic ? [`synthetic weights: ${model.name} has seeded random weights in the shape of a real model; time, memory and IO are those of the shape, the text it writes is nonsense`] : []
  return [...own, ...result.warnings]
}
