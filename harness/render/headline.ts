/** The verdict in words: the same on the terminal, in HTML and in Markdown. */
import { formatNumber, formatP, formatRatio, formatRatioInterval, MISSING, NBSP } from './format.js'
import { metricLabel, verdictWord } from './labels.js'
import { comparesConditions, conditionValue, primaryContrast, unitsText } from './lookup.js'
import type { Contrast, ContrastVerdict, Result } from '../types.js'

export interface Headline {
  /** Where a run has claims, `SUPPORTED` or `UNSUPPORTED`: all of them, or not all. Else `BETTER`, `WORSE`, `EQUIVALENT`, `CANNOT SAY` or `NO VERDICT` by its primary outcome; of a sweep `DESCRIBED`. */
  readonly word: string
  /** Its tone: that of a supported claim is `better`. */
  readonly verdict: ContrastVerdict | undefined
  /** What the claims say, or the primary outcome: `good requests/s 0.45 → 4.1 (×9.1, 95 % 7.9–10.6, p 0.008, 8 pairs)`. */
  readonly says: string
  readonly because: string
  /** What was seen, whatever it says of a claim: the primary outcome with its verdict, of a sweep the range. */
  readonly seen: string
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

/** Whose ratio it is, where a run has more than one: `q500 ÷ none: `. */
export function contrastSubject (result: Result, contrast: Contrast): string {
  return result.conditions.length <= 2 ? '' : `${contrast.b} ÷ ${contrast.a}: `
}

/** `0.45 → 4.1` for a contrast of two conditions, else the names of what was compared unless `contrastSubject` says them. */
export function contrastValues (result: Result, contrast: Contrast): string {
  if (!comparesConditions(result, contrast)) return result.conditions.length > 2 ? '' : `${contrast.a}${NBSP}→${NBSP}${contrast.b}`
  const [before, after] = [contrast.a, contrast.b].map((id) => conditionValue(result, contrast.metric, id, contrast.population))
  return before === MISSING && after === MISSING ? '' : `${before}${NBSP}→${NBSP}${after}`
}

/** `q500 ÷ none: tokens/s 110 → 51 (×0.46, …)`. */
export function contrastText (result: Result, contrast: Contrast): string {
  const values = contrastValues(result, contrast)
  return `${contrastSubject(result, contrast)}${metricLabel(contrast.metric)}${values === '' ? '' : ` ${values}`} (${contrastNumbers(contrast)})`
}

/** Claims speak first: they are what was asked. The primary outcome of a comparison is one number of it, and too few pairs for a verdict on that may carry a claim. */
export function headline (result: Result): Headline {
  const outcome = result.design === 'sweep' ? sweepOutcome(result) : primaryOutcome(result)
  const { claims } = result
  if (claims.length === 0) return outcome
  const unfinished = result.complete ? '' : `. ${UNFINISHED}`
  const supported = claims.filter(({ status }) => status === 'SUPPORTED').length
  const all = supported === claims.length
  return {
    ...outcome,
    word: all ? 'SUPPORTED' : 'UNSUPPORTED',
    verdict: all ? 'better' : 'worse',
    says: claims.map(({ statement }) => statement).join('; '),
    because: [
      ...(claims.length === 1 ? [] : [`${supported} of ${claims.length} claims supported.`]),
      `${outcome.seen}${outcome.because === '' ? '' : `; ${outcome.because}`}${outcome.because.endsWith(UNFINISHED) ? '' : unfinished}`
    ].join(' ')
  }
}

function primaryOutcome (result: Result): Headline {
  const primary = primaryContrast(result)
  if (primary === undefined) {
    const nothing = 'the result has no primary contrast'
    return { word: 'NO VERDICT', verdict: undefined, says: nothing, because: result.complete ? '' : UNFINISHED, seen: `NO VERDICT: ${nothing}` }
  }
  const [word, says] = [verdictWord(primary.verdict), contrastText(result, primary)]
  return { word, verdict: primary.verdict, says, because: primary.because, seen: `${word}: ${says}` }
}

const UNFINISHED = 'The run did not finish; what was measured is below.'

/** Too few repeats: no ratio has a verdict. */
export function allDescribed ({ contrasts }: Result): boolean {
  return contrasts.length > 0 && contrasts.every((contrast) => contrast.ci95 === null && contrast.verdict === 'cannot say')
}

/** A sweep has no primary outcome: the range of what was seen. */
function sweepOutcome (result: Result): Headline {
  const { conditions } = result
  const seen = rangeText(result)
  return {
    word: 'DESCRIBED',
    verdict: undefined,
    says: seen,
    seen,
    because: [
      `${conditions.length === 1 ? 'One condition, compared with nothing' : `${conditions.length} conditions, each against its baseline`}${allDescribed(result) ? '; too few repeats for a verdict on single ratios' : ''}.`,
      ...(result.complete ? [] : [UNFINISHED])
    ].join(' ')
  }
}

/** `tokens/s 23.9 (q500) to 111 (none), gap p99 9.8 (none) to 610 (q500) ms`. */
function rangeText ({ cells }: Result): string {
  const part = (metric: string, statistic: 'mean' | 'p99', label: string, unit: string): string[] => {
    const found = cells.filter((cell) => cell.metric === metric && cell.population !== 'offered').flatMap((cell) => {
      const value = cell[statistic]
      return value === null ? [] : [{ id: cell.condition, value }]
    }).sort((a, b) => a.value - b.value)
    const [least, most] = [found[0], found.at(-1)]
    return least === undefined || most === undefined ? [] : [`${label} ${formatNumber(least.value)} (${least.id}) to ${formatNumber(most.value)}${unit} (${most.id})`]
  }
  return [...part('tokens-per-second', 'mean', 'tokens/s', ''), ...part('itl', 'p99', 'gap p99', `${NBSP}ms`)].join(', ') || 'nothing could be computed'
}

/** The warnings of the result, and before them what makes all its text doubtful: synthetic weights. */
export function allWarnings (result: Result): string[] {
  const { model } = result.manifest
  const own = model.synthetic ? [`synthetic weights: ${model.name} has seeded random weights in the shape of a real model; time, memory and IO are those of the shape, the text it writes is nonsense`] : []
  return [...own, ...result.warnings]
}
