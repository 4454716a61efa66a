import type { Account } from './cost-model.js'
import type { SlotCall, SlotStrategy } from './slot-choice.js'

/** llama-server's own list of its slots (`/slots`). */
export interface SlotsReading {
  readonly slots: readonly SlotSeen[]
  /** Monotonic milliseconds: when it was asked for, and when it came. */
  readonly askedAtMs: number
  readonly atMs: number
}

export interface SlotSeen {
  readonly id: number
  readonly busy: boolean
  /** Of the task that runs in it, or ran last; absent when none ever did, or the server does not say. */
  readonly taskId?: number
}

/** A call that may get a slot. */
export interface Placed extends SlotCall {
  /** It may be sent to a slot of our choice. */
  readonly nameable: boolean
  /** It waits for a busy slot until then at most. */
  awaitsUntilMs?: number
}

/** A reading tells for so long what runs past us, milliseconds; it is renewed while calls run. */
export const FRESH_MS = 10_000
/** After somebody else was seen on the server no slot is named for so long, milliseconds: a call that is sent to a busy slot waits for it while others are idle (L3). */
const CAUTION_MS = 30_000
/** What started or ended this shortly before a reading may be seen in it or not, milliseconds. */
export const SETTLING_MS = 100

/**
 * Who is in which slot of llama-server. A call that was sent with a slot's id is *named* and holds that slot until upstream is confirmed free of it; of all others it
 * is not known where they are until a reading shows which slots are busy beyond the named ones.
 */
export class SlotTable {
  readonly #strategy: SlotStrategy | undefined
  /** Ids of all slots, ascending; empty before the first reading. */
  #ids: readonly number[] = []
  readonly #named = new Map<string, number>()
  readonly #unnamed = new Map<string, { readonly places: number, readonly startedAtMs: number }>()
  /** Slots that the last reading showed busy, and no named call was in. */
  #others: ReadonlySet<number> = new Set()
  /** Slots of calls that were broken off, until a reading shows that they are idle. */
  readonly #doubtful = new Map<number, number>()
  /** When each slot, and the last call of which it is not known where it was, was let go of. */
  readonly #releasedAtMs = new Map<number, number>()
  #unnamedReleasedAtMs = -Infinity
  #seenAtMs = -Infinity
  #cautionUntilMs = -Infinity

  /** @param strategy absent: no call is named */
  constructor (strategy?: SlotStrategy) {
    this.#strategy = strategy
  }

  /** Slots that nobody uses, ascending. Empty when it is not certain which ones these are. */
  idle (atMs: number): readonly number[] {
    if (!this.#isCertain(atMs)) return []
    const named = new Set(this.#named.values())
    return this.#ids.filter(id => !named.has(id) && !this.#others.has(id) && !this.#doubtful.has(id))
  }

  /** @returns the slot that the call is to be sent to and holds; undefined: llama-server chooses */
  start (call: Placed, places: number, atMs: number): number | undefined {
    const idle = call.nameable && this.#strategy !== undefined ? this.idle(atMs) : []
    const slot = idle.length === 0 ? undefined : this.#strategy?.choose(call, idle, atMs)
    if (slot === undefined) this.#unnamed.set(call.id, { places, startedAtMs: atMs })
    else this.#named.set(call.id, slot)
    this.#strategy?.started?.(call, slot, atMs)
    return slot
  }

  /** Prompt tokens that a running call is sure to find in its slot; undefined where that is not certain. */
  predictedTokens (id: string): number | undefined { return this.#strategy?.predictedTokens?.(id) }

  /**
   * Whether a call waits for a busy slot rather than start in an idle one. It does for no longer than the first answer said.
   * @param leftMsOf how long a running call is expected to run still; undefined: not known
   */
  awaits (call: Placed, leftMsOf: (id: string) => number | undefined, msPerToken: number, atMs: number): boolean {
    if (this.#strategy?.awaits === undefined || !call.nameable || atMs >= (call.awaitsUntilMs ?? Infinity)) return false
    const idle = this.idle(atMs)
    if (idle.length === 0) return false
    const busy = [...this.#named].map(([id, slot]) => ({ slot, leftMs: leftMsOf(id) ?? Infinity }))
    const forMs = this.#strategy.awaits(call, idle, busy, msPerToken)
    if (forMs === undefined) return false
    call.awaitsUntilMs ??= atMs + forMs
    return true
  }

  /** Upstream is free of it. @param broken it did not run to its end */
  release (call: string, broken: boolean, account: Account | undefined, atMs: number): void {
    const slot = this.#named.get(call)
    if (slot !== undefined) {
      this.#named.delete(call)
      this.#releasedAtMs.set(slot, atMs)
      if (broken) this.#doubtful.set(slot, atMs)
    }
    if (this.#unnamed.delete(call)) this.#unnamedReleasedAtMs = atMs
    this.#strategy?.released?.(call, account, atMs)
  }

  see (reading: SlotsReading): void {
    const { slots, askedAtMs, atMs } = reading
    this.#strategy?.saw?.(reading)
    this.#ids = slots.map(({ id }) => id).sort((a, b) => a - b)
    this.#seenAtMs = askedAtMs
    const settledMs = askedAtMs - SETTLING_MS
    const named = new Set(this.#named.values())
    const justReleased = (id: number): boolean => (this.#releasedAtMs.get(id) ?? -Infinity) > settledMs
    const others = slots.filter(({ id, busy }) => busy && !named.has(id) && !justReleased(id)).map(({ id }) => id)
    this.#others = new Set(others)
    for (const [slot, sinceMs] of this.#doubtful) if (sinceMs < settledMs) this.#doubtful.delete(slot)
    let explained = this.#unnamedReleasedAtMs > settledMs ? Infinity : 0
    for (const { places } of this.#unnamed.values()) explained += places
    if (others.length > explained) this.#cautionUntilMs = atMs + CAUTION_MS
  }

  #isCertain (atMs: number): boolean {
    if (atMs - this.#seenAtMs > FRESH_MS || atMs < this.#cautionUntilMs) return false
    for (const { startedAtMs } of this.#unnamed.values()) if (startedAtMs > this.#seenAtMs - SETTLING_MS) return false
    return true
  }
}

/** The first moment at which one of these is to stop waiting for a busy slot; undefined when none waits for one. */
export function nextWakeMs (calls: ReadonlyArray<Pick<Placed, 'awaitsUntilMs'>>, atMs: number): number | undefined {
  let wakeAtMs = Infinity
  for (const { awaitsUntilMs = 0 } of calls) if (awaitsUntilMs > atMs) wakeAtMs = Math.min(wakeAtMs, awaitsUntilMs)
  return wakeAtMs === Infinity ? undefined : wakeAtMs
}
