import { Type, type Static } from '@sinclair/typebox'
import { CompanyRate } from './company-rate.js'
import { OutputLengths } from './output-lengths.js'

/** A call as its cost is seen before it runs. */
export interface Work {
  /** Tokens of its prompt, when they were counted. */
  readonly promptTokens?: number
  /** Of its body; stands for the prompt while that is not counted. */
  readonly bodyBytes: number
  /** Its bound; Infinity when there is none. 0: nothing is generated. */
  readonly maxTokens: number
}

/** llama-server's account of a call: prompt tokens that it evaluated, that it had in its cache, and tokens generated. */
export interface Account {
  readonly evaluatedTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
}

/** A call that ran to its end. Times are the gateway's, so that they hold what lies between it and llama-server. */
export interface Done {
  readonly work: Work
  /** Places taken at its start, its own included. */
  readonly company: number
  /** From its start to its first byte, and from there until its places were free. */
  readonly firstByteMs: number
  readonly restMs: number
  /** Absent on routes that give none. */
  readonly account?: Account
  readonly atMs: number
}

const rates = Type.Array(Type.Tuple([Type.Number(), Type.Number(), Type.Number()]))

/** What was learned, as JSON. */
export const savedCostsSchema = Type.Object({
  prefill: rates,
  decode: rates,
  tokensPerByte: Type.Number(),
  evaluatedShare: Type.Number(),
  lengths: Type.Array(Type.Tuple([Type.Number(), Type.Boolean()]))
})

export type SavedCosts = Static<typeof savedCostsSchema>

/** What a call costs beyond its tokens, in prompt tokens: a request of one token is not free. */
const FIXED_PROMPT_TOKENS = 8
/** Weight of the newest call in plain means. */
const NEWEST = 1 / 16
/** Prompt tokens for a byte of JSON, before one was counted. */
const FIRST_TOKENS_PER_BYTE = 0.2
/** Error of a prediction before one was seen, as a share of it. */
const FIRST_ERROR_SHARE = 1 / 8
/** An estimate that kept calls out cannot be corrected by them: after this long without a sample it is forgotten. */
const STALE_MS = 60_000

/**
 * What calls cost at upstream, learned from those that ended: uncached prompt tokens ÷ prefill rate + output tokens ÷ decode rate, each at the company in which a call
 * runs. Pure; knows no slots and no queue.
 */
export class CostModel {
  readonly #prefill = new CompanyRate()
  readonly #decode = new CompanyRate()
  readonly #lengths = new OutputLengths()
  #tokensPerByte = FIRST_TOKENS_PER_BYTE
  #evaluatedShare = 1
  /** Mean of |real ÷ predicted − 1| of times to first byte. */
  #errorShare = FIRST_ERROR_SHARE

  learn ({ work, company, firstByteMs, restMs, account, atMs }: Done): void {
    const evaluatedTokens = account?.evaluatedTokens ?? this.prefillTokens(work)
    const known = this.#prefill.msPerUnit(company)
    if (known !== undefined) {
      const error = Math.abs(firstByteMs / (known * (evaluatedTokens + FIXED_PROMPT_TOKENS)) - 1)
      this.#errorShare += (error - this.#errorShare) * NEWEST
    }
    this.#prefill.sample(company, evaluatedTokens + FIXED_PROMPT_TOKENS, firstByteMs, atMs)
    if (account === undefined) return
    const { cachedTokens, outputTokens } = account
    if (outputTokens > 0) this.#decode.sample(company, outputTokens, restMs, atMs)
    const promptTokens = evaluatedTokens + cachedTokens
    if (promptTokens > 0) {
      this.#evaluatedShare += (evaluatedTokens / promptTokens - this.#evaluatedShare) * NEWEST
      if (work.bodyBytes > 0) this.#tokensPerByte += (promptTokens / work.bodyBytes - this.#tokensPerByte) * NEWEST
    }
    if (work.maxTokens > 0) this.#lengths.add(outputTokens, outputTokens >= work.maxTokens)
  }

  /** Tokens of the prompt, cached or not. */
  promptTokens ({ promptTokens, bodyBytes }: Work): number {
    return promptTokens ?? bodyBytes * this.#tokensPerByte
  }

  /** Those of them that upstream is expected to evaluate. */
  prefillTokens (work: Work): number {
    return this.promptTokens(work) * this.#evaluatedShare
  }

  /** Tokens that a call is expected to generate after `doneTokens` of them. */
  outputTokens ({ maxTokens }: Work, doneTokens = 0): number {
    return this.#lengths.expectedLeft(maxTokens, doneTokens)
  }

  /**
   * Milliseconds from start to first byte in this company, as learned in the last minute in the same or a smaller one; 0 when nothing is known, because only a call
   * that starts can teach it.
   */
  firstByteMs (work: Work, company: number, atMs: number): number {
    const msPerToken = this.#prefill.msPerUnit(company, atMs - STALE_MS, false)
    return msPerToken === undefined ? 0 : (this.prefillTokens(work) + FIXED_PROMPT_TOKENS) * msPerToken
  }

  /** The same and one mean error more. */
  cautiousFirstByteMs (work: Work, company: number, atMs: number): number {
    return this.firstByteMs(work, company, atMs) * (1 + this.#errorShare)
  }

  /** Milliseconds that a call which started `ranMs` ago in this company is expected to hold its places still; undefined before any call ended. */
  leftMs (work: Work, company: number, ranMs: number): number | undefined {
    const prefillRate = this.#prefill.msPerUnit(company)
    const decodeRate = this.#decode.msPerUnit(company)
    if (prefillRate === undefined || decodeRate === undefined) return undefined
    const prefillMs = (this.prefillTokens(work) + FIXED_PROMPT_TOKENS) * prefillRate
    if (ranMs < prefillMs) return prefillMs - ranMs + this.outputTokens(work) * decodeRate
    const doneTokens = (ranMs - prefillMs) / decodeRate
    // What is overdue is expected to need as long again as it is overdue, so that a server that stalls is noticed at once.
    return doneTokens >= work.maxTokens
      ? ranMs - prefillMs - work.maxTokens * decodeRate
      : this.outputTokens(work, doneTokens) * decodeRate
  }

  toJson (): SavedCosts {
    return { prefill: this.#prefill.toJson(), decode: this.#decode.toJson(), tokensPerByte: this.#tokensPerByte, evaluatedShare: this.#evaluatedShare, lengths: this.#lengths.toJson() }
  }

  /** Takes what `toJson` gave in an earlier life of the gateway, of the same model and build. */
  restore (saved: SavedCosts, atMs: number): void {
    this.#prefill.restore(saved.prefill, atMs)
    this.#decode.restore(saved.decode, atMs)
    this.#tokensPerByte = saved.tokensPerByte
    this.#evaluatedShare = saved.evaluatedShare
    for (const [tokens, cut] of saved.lengths) this.#lengths.add(tokens, cut)
  }
}
