import type { ServerError } from './error-body.js'
import type { Measured } from './timings.js'

/** Work that needs slots: one prompt, answered `choices` times. */
export interface Task {
  readonly id: number
  readonly promptIds: readonly number[]
  /** Tokens to generate for each choice; 0: only evaluate the prompt (embeddings, reranking). */
  readonly maxTokens: number
  /** `n`: needs this many free slots at once. */
  readonly choices: number
  /** `id_slot`. */
  readonly pinnedSlot: number | undefined
  readonly reusePrompt: boolean
  readonly listener: TaskListener
}

export interface TaskListener {
  /** All its slots are taken; nothing is computed yet. */
  started (slotIds: readonly number[]): void
  /** One more token of a choice. */
  token (choice: number, measured: Measured): void
  /** A choice reached its end and its slot is free. */
  ended (choice: number, measured: Measured, slotId: number): void
  /** The whole task ended without an answer; its slots are free. */
  failed (error: ServerError): void
}

/** One slot of the engine and what it works on. */
export class Slot {
  task: Task | undefined
  choice = 0
  /** Prompt and generated tokens of the last task, for reuse of the prefix. */
  cachedIds: readonly number[] = []
  lastUsedStep = -1
  #cached = 0
  #prefilled = 0
  #predicted = 0
  #startedAtMs = 0
  #firstTokenAtMs = 0
  #nowMs = 0

  constructor (readonly id: number) {}

  take (task: Task, choice: number, nowMs: number, reuse: boolean): void {
    this.task = task
    this.choice = choice
    this.#cached = reuse && task.reusePrompt ? Math.min(commonPrefix(this.cachedIds, task.promptIds), task.promptIds.length - 1) : 0
    this.#prefilled = this.#cached
    this.#predicted = 0
    this.#startedAtMs = this.#nowMs = nowMs
  }

  free (): void {
    if (this.task !== undefined) this.cachedIds = this.task.promptIds.slice(0, this.#prefilled)
    this.task = undefined
  }

  /** A further choice of an `n` > 1 call: its prompt is copied from the first choice's slot when that is ready. */
  get follows (): boolean {
    return this.choice > 0
  }

  get prefillLeft (): number {
    return this.task === undefined ? 0 : this.task.promptIds.length - this.#prefilled
  }

  get decoding (): boolean {
    return this.task !== undefined && this.prefillLeft === 0
  }

  get usedTokens (): number {
    return this.task === undefined ? 0 : this.#prefilled + this.#predicted
  }

  get measured (): Measured {
    return {
      cachedTokens: this.#cached,
      promptTokens: this.task?.promptIds.length ?? 0,
      promptMs: (this.#predicted > 0 ? this.#firstTokenAtMs : this.#nowMs) - this.#startedAtMs,
      predictedTokens: this.#predicted,
      predictedMs: this.#predicted > 0 ? this.#nowMs - this.#firstTokenAtMs : 0
    }
  }

  prefill (tokens: number, nowMs: number): void {
    this.#prefilled += tokens
    this.#nowMs = nowMs
  }

  copyPrompt (from: Slot): void {
    this.#prefilled = this.task?.promptIds.length ?? 0
    this.#cached = from.#cached
    this.#startedAtMs = from.#startedAtMs
  }

  predict (nowMs: number): void {
    this.#predicted++
    this.#nowMs = nowMs
    if (this.#predicted === 1) this.#firstTokenAtMs = nowMs
  }
}

export function commonPrefix (a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length)
  let length = 0
  while (length < most && a[length] === b[length]) length++
  return length
}
