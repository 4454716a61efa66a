import type { Call, CallSignal } from './contract.js'
import type { SlotsReading } from './slot-table.js'

/** What a policy may ask of the backend: a port, so that this folder knows no HTTP. All routes behind it need no slot (L15). */
export interface Backend {
  /** From `/props`; undefined while the backend has not answered yet (loading). */
  readonly props: () => BackendProps | undefined
  /** Tokens of the call's prompt with the model's own template and tokenizer. Rejects when the backend does not answer. */
  countTokens (call: Call, signal: CallSignal): Promise<number>
  /** Token ids of the call's prompt, special ones included, as upstream will evaluate them; of a call with one prompt that is text. Rejects when the backend does not answer. */
  promptTokens (call: Call, signal: CallSignal): Promise<readonly number[]>
  /** Tokens of each of these texts, without the special ones around it, in one round trip. Rejects when the backend does not answer. */
  countTexts (texts: readonly string[]): Promise<readonly number[]>
  /** Slots that process something now (`llamacpp:requests_processing`), and requests in its hidden queue; ≤ 0.5 Hz (L8). Undefined when unknown. */
  readonly load: () => BackendLoad | undefined
  /**
   * What the backend serves, as read at `sinceMs` (monotonic milliseconds) or later: a reading that old is given again, else it is asked. Undefined while it does not say,
   * or where no two answers need be alike (a template that writes the time of day).
   */
  served (sinceMs: number): Promise<Served | undefined>
  /** Which slots are busy, read by a request that was sent after this call; waits its turn (L8). Undefined when this server does not say. Rejects when it does not answer. */
  readSlots (): Promise<SlotsReading | undefined>
  /** Writes the cache of an idle slot to a file of llama-server's `--slot-save-path`, or reads it from there. Rejects when the backend did not. @param file its name */
  moveSlot (action: 'save' | 'restore', slot: number, file: string): Promise<void>
}

/** What of the backend decides how a call is answered. */
export interface Served {
  /** Model, build, template, context, defaults, adapters: all that `/props` says, and when these were last changed through the gateway. */
  readonly identity: string
  /** Settings of sampling where a call says nothing. */
  readonly sampling: Readonly<Record<string, unknown>>
  /** Monotonic milliseconds at which the reading was asked for. */
  readonly atMs: number
}

export interface BackendProps {
  readonly totalSlots: number
  /** Context of one slot in tokens. */
  readonly slotContextTokens: number
  readonly modelPath: string
  readonly buildInfo: string
}

export interface BackendLoad {
  readonly processing: number
  readonly deferred: number
  /** Monotonic milliseconds of the reading. */
  readonly atMs: number
}
