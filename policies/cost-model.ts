import { Type, type Static } from '@sinclair/typebox'
import { CompanyRate } from './company-rate.js'
import { OutputLengths } from './output-lengths.js'

/** A call as its cost is seen before it runs. */
export interface Work {
  /** Tokens of its prompt, when they were counted. */
  readonly promptTokens?: number
  /** Of these the ones that its slot is sure to have; absent: as many as usual. */
  readonly cachedTokens?: number
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
  /** From its start to its first byte, and from there until its places were free. */
  readonly firstByteMs: number
  readonly restMs: number
  /** Places taken meanwhile, its own included, on average: not those at its start, since calls that start one after the other share most of their prefill. */
  readonly firstByteCompany: number
  readonly restCompany: number
  /** Absent on routes that give none. */
  readonly account?: Account
  readonly atMs: number
}

const rates = Type.Array(Type.Tuple([Type.Number(), Type.Number(), Type.Number()]))

/** What was learned, as JSON. */
export const savedCostsSchema = Type.Object({
  prefill: rates,
  decode: rates,
  prompts: Type.Object({ bytes: Type.Number(), bodyTokens: Type.Number(), tokens: Type.Number(), evaluated: Type.Number() }),
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

/**
 * What calls cost at upstream, learned from those that ended: uncached prompt tokens ÷ prefill rate + output tokens ÷ decode rate, each at the company in which a call
 * runs. Pure; knows no slots and no queue.
 */
export class CostModel {
  #prefill = new CompanyRate()
  #decode = new CompanyRate()
  #lengths = new OutputLengths()
  /** Sums that fade: the first call already says what a byte of body is in tokens. */
  #prompts = { bytes: 0, bodyTokens: 0, tokens: 0, evaluated: 0 }
  /** Mean of |real ÷ predicted − 1| of times to first byte. */
  #errorShare = FIRST_ERROR_SHARE

  learn ({ work, firstByteMs, restMs, firstByteCompany, restCompany, account, atMs }: Done): void {
    const evaluatedTokens = account?.evaluatedTokens ?? this.prefillTokens(work)
    const company = Math.max(1, Math.round(firstByteCompany))
    const known = this.#prefill.msPerUnit(company)
    if (known !== undefined) {
      const error = Math.abs(firstByteMs / (known * (evaluatedTokens + FIXED_PROMPT_TOKENS)) - 1)
      this.#errorShare += (error - this.#errorShare) * NEWEST
    }
    this.#prefill.sample(company, evaluatedTokens + FIXED_PROMPT_TOKENS, firstByteMs, atMs)
    if (account === undefined) return
    const { cachedTokens, outputTokens } = account
    if (outputTokens > 0) this.#decode.sample(Math.max(1, Math.round(restCompany)), outputTokens, restMs, atMs)
    const tokens = evaluatedTokens + cachedTokens
    const prompts = this.#prompts
    const faded = (sum: number, value: number): number => sum * (1 - NEWEST) + value
    this.#prompts = {
      bytes: faded(prompts.bytes, work.bodyBytes),
      bodyTokens: faded(prompts.bodyTokens, work.bodyBytes > 0 ? tokens : 0),
      tokens: faded(prompts.tokens, tokens),
      evaluated: faded(prompts.evaluated, evaluatedTokens)
    }
    if (work.maxTokens > 0) this.#lengths.add(outputTokens, outputTokens >= work.maxTokens)
  }

  /** Tokens of the prompt, cached or not. */
  promptTokens ({ promptTokens, bodyBytes }: Work): number {
    const { bytes, bodyTokens } = this.#prompts
    return promptTokens ?? bodyBytes * (bytes > 0 ? bodyTokens / bytes : FIRST_TOKENS_PER_BYTE)
  }

  /** Those of them that upstream is expected to evaluate. */
  prefillTokens (work: Work): number {
    const { tokens, evaluated } = this.#prompts
    if (work.cachedTokens !== undefined) return Math.max(0, this.promptTokens(work) - work.cachedTokens)
    return this.promptTokens(work) * (tokens > 0 ? evaluated / tokens : 1)
  }

  /** Tokens that a call is expected to generate after `doneTokens` of them. */
  outputTokens ({ maxTokens }: Work, doneTokens = 0): number {
    return this.#lengths.expectedLeft(maxTokens, doneTokens)
  }

  /**
   * Milliseconds from start to first byte in this company, as learned lately in the same or a smaller one; 0 when nothing is known, because only a call
   * that starts can teach it.
   */
  firstByteMs (work: Work, company: number, atMs: number): number {
    const msPerToken = this.#prefill.freshMsPerUnit(company, atMs)
    return msPerToken === undefined ? 0 : (this.prefillTokens(work) + FIXED_PROMPT_TOKENS) * msPerToken
  }

  /** A time to first byte and one mean error more. */
  cautious (firstByteMs: number): number {
    return firstByteMs * (1 + this.#errorShare)
  }

  /** Of an uncached prompt, as evaluated lately alone or in the smallest company that is known; 0 when nothing is known. */
  leastMsPerPromptToken (atMs: number): number {
    return this.#prefill.freshMsPerUnit(1, atMs) ?? this.#prefill.msPerUnit(1) ?? 0
  }

  /** Milliseconds to evaluate a prompt token in this company; 0 when nothing is known. */
  msPerPromptToken (company: number, atMs: number): number {
    return this.#prefill.freshMsPerUnit(company, atMs) ?? 0
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

  /** As if nothing had been learned: it was of another model. */
  forget (): void {
    this.#prefill = new CompanyRate()
    this.#decode = new CompanyRate()
    this.#lengths = new OutputLengths()
    this.#prompts = { bytes: 0, bodyTokens: 0, tokens: 0, evaluated: 0 }
    this.#errorShare = FIRST_ERROR_SHARE
  }

  toJson (): SavedCosts {
    return { prefill: this.#prefill.toJson(), decode: this.#decode.toJson(), prompts: this.#prompts, lengths: this.#lengths.toJson() }
  }

  /** Takes what `toJson` gave in an earlier life of the gateway, of the same model and build. */
  restore (saved: SavedCosts, atMs: number): void {
    this.#prefill.restore(saved.prefill, atMs)
    this.#decode.restore(saved.decode, atMs)
    this.#prompts = saved.prompts
    for (const [tokens, cut] of saved.lengths) this.#lengths.add(tokens, cut)
  }
}
