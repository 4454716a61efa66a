const KEPT = 256
/** Answers that may end before the estimate is made anew, once as many as this squared are known: it costs more than all else at an admission. */
const BETWEEN = 8

interface Ended {
  readonly tokens: number
  /** Ended at the bound that its client had set: without it, it would have been longer. */
  readonly cut: boolean
}

/** From `tokens` on, this share of all answers goes on; `area` is the mean length up to `tokens`. */
interface Step {
  readonly tokens: number
  readonly survival: number
  readonly area: number
}

/**
 * How long answers are, learned from the last 256 that ended: the Kaplan–Meier estimate (J. Am. Stat. Assoc. 53, 1958, 457–481), in which an answer that was cut
 * at its own bound says only that it would have been at least that long. So a bound of 512 tokens is not taken for a wish to use them all.
 */
export class OutputLengths {
  readonly #ended: Ended[] = []
  #steps: readonly Step[] | undefined
  #since = 0

  add (tokens: number, cut: boolean): void {
    this.#ended.push({ tokens, cut })
    if (this.#ended.length > KEPT) this.#ended.shift()
    if (++this.#since < BETWEEN && this.#ended.length > BETWEEN ** 2) return
    this.#since = 0
    this.#steps = undefined
  }

  toJson (): Array<[tokens: number, cut: boolean]> {
    return this.#ended.map(({ tokens, cut }) => [tokens, cut])
  }

  /**
   * Tokens that an answer with this bound is expected to have still in front of it when it has `doneTokens` already: its mean over the answers that got so far. The bound
   * itself while nothing is known; at least 1 below it, because an answer that is not over has another token. Finite for an infinite bound once an answer ended by itself;
   * before that the longest one seen stands for it (0 if there is none).
   */
  expectedLeft (maxTokens: number, doneTokens = 0): number {
    if (doneTokens >= maxTokens) return 0
    const steps = this.#steps ??= stepsOf(this.#ended)
    const last = steps.at(-1)
    if (last === undefined) return Number.isFinite(maxTokens) ? maxTokens - doneTokens : 0
    const endTokens = Number.isFinite(maxTokens) ? maxTokens : this.#ended.reduce((most, { tokens }) => Math.max(most, tokens), last.tokens)
    const from = at(steps, doneTokens)
    const left = from.survival === 0 ? 1 : (at(steps, endTokens).area - from.area) / from.survival
    return Math.min(maxTokens - doneTokens, Math.max(1, left))
  }
}

function stepsOf (ended: readonly Ended[]): readonly Step[] {
  if (ended.length === 0) return []
  const sorted = [...ended].sort((a, b) => a.tokens - b.tokens)
  const steps: Step[] = [{ tokens: 0, survival: 1, area: 0 }]
  let survival = 1
  let area = 0
  let fromTokens = 0
  for (let index = 0; index < sorted.length;) {
    const tokens = sorted[index]?.tokens ?? 0
    const atRisk = sorted.length - index
    let ends = 0
    for (; sorted[index]?.tokens === tokens; index++) if (sorted[index]?.cut === false) ends++
    if (ends === 0) continue
    area += survival * (tokens - fromTokens)
    survival *= 1 - ends / atRisk
    fromTokens = tokens
    steps.push({ tokens, survival, area })
  }
  return steps
}

/** Survival and area at this many tokens: of the last step not after it, with the area carried on to it. */
function at (steps: readonly Step[], tokens: number): Step {
  let low = 0
  let high = steps.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((steps[middle]?.tokens ?? Infinity) <= tokens) low = middle
    else high = middle - 1
  }
  const step = steps[low] ?? { tokens: 0, survival: 1, area: 0 }
  return { tokens, survival: step.survival, area: step.area + step.survival * (tokens - step.tokens) }
}
