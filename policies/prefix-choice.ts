import type { Account } from './cost-model.js'
import { PrefixCheck } from './prefix-check.js'
import { PrefixMemory, type Content } from './prefix-memory.js'
import type { BusySlot, SlotCall, SlotStrategy } from './slot-choice.js'
import type { Exchange, SlotFiles } from './slot-files.js'
import { SETTLING_MS, type SlotsReading } from './slot-table.js'

interface Started {
  /** Undefined: llama-server chose. */
  readonly slot: number | undefined
  /** What the slot had of its prompt, where that is certain. */
  leastTokens: number | undefined
  readonly exchange?: Exchange | undefined
  /** What the slot had before. */
  readonly before?: Content | undefined
}

/**
 * The slot that has most of the prompt already, less what would be lost of it that somebody comes back for. So a conversation finds its slot, and a small request takes
 * the slot whose loss costs least. It checks itself: where llama-server finds less in its cache than was predicted, it leaves the choice to llama-server from then on.
 */
export class PrefixChoice implements SlotStrategy {
  readonly #memory = new PrefixMemory()
  readonly #check: PrefixCheck
  readonly #files: SlotFiles | undefined
  readonly #started = new Map<string, Started>()
  /** The last task of each slot, as llama-server numbers them: another one without a call of ours, and somebody else was there. */
  readonly #taskIds = new Map<number, number | undefined>()
  /** Slots that calls of ours used since the last reading, and when they let go; Infinity while they run. */
  readonly #touched = new Map<number, number>()
  /** A call was somewhere since the last reading. */
  #unsureSinceMs: number | undefined

  /** @param onOff told once why it does not choose any more @param files absent: what loses its slot is lost */
  constructor (onOff: (why: string) => void, files?: SlotFiles) {
    this.#files = files
    this.#check = new PrefixCheck(onOff)
  }

  /** It left the choice to llama-server. */
  get off (): boolean { return this.#check.failed }

  /** Tokens found in the slots ÷ those that were predicted, lately; undefined before anything was predicted. */
  get foundShare (): number | undefined { return this.#check.share }

  choose (call: SlotCall, idle: readonly number[], atMs: number): number | undefined {
    if (this.off) return undefined
    const keep = this.#keepShares(idle, atMs)
    let best: { slot: number, score: number, usedAtMs: number } | undefined
    for (const slot of idle) {
      const content = this.#memory.contentOf(slot)
      const reused = this.#reused(call, slot)
      const lostTokens = content === undefined ? 0 : Math.max(0, content.promptTokens + content.outputTokens - this.#shared(call, slot))
      const score = reused - lostTokens * (keep.get(slot) ?? 0)
      const usedAtMs = content?.usedAtMs ?? -Infinity
      if (best === undefined || score > best.score || (score === best.score && usedAtMs < best.usedAtMs)) best = { slot, score, usedAtMs }
    }
    return best?.slot
  }

  awaits (call: SlotCall, idle: readonly number[], busy: readonly BusySlot[], msPerToken: number): number | undefined {
    if (this.off || call.prompt === undefined) return undefined
    const hereTokens = Math.max(this.#inFiles(call)?.reuse.likelyTokens ?? 0, ...idle.map(slot => this.#reused(call, slot)))
    let worthMs: number | undefined
    for (const { slot, leftMs } of busy) {
      const savedMs = (this.#reused(call, slot) - hereTokens) * msPerToken
      if (savedMs > leftMs) worthMs = Math.max(worthMs ?? 0, savedMs)
    }
    return worthMs
  }

  started (call: SlotCall, slot: number | undefined, atMs: number): void {
    if (slot === undefined) {
      this.#started.set(call.id, { slot, leastTokens: undefined })
      return
    }
    const content = this.#memory.contentOf(slot)
    const isCertain = this.#unsureSinceMs === undefined && (content?.whole ?? false)
    const exchange = this.#exchangeFor(call, slot, isCertain ? content : undefined)
    const inFile = exchange?.restore === undefined ? undefined : this.#inFiles(call)?.reuse.leastTokens
    const leastTokens = inFile ?? (isCertain ? this.#reused(call, slot, 'leastTokens') : undefined)
    this.#started.set(call.id, { slot, leastTokens, exchange, before: content })
    this.#memory.start(slot, call.prompt, atMs)
    this.#touched.set(slot, Infinity)
  }

  /** Tokens that a running call is sure to find in its slot; undefined where that is not certain. */
  predictedTokens (id: string): number | undefined { return this.#started.get(id)?.leastTokens }

  exchange (id: string): Exchange | undefined { return this.#started.get(id)?.exchange }

  exchanged (id: string, { saved, restored }: { readonly saved: boolean, readonly restored: boolean }): void {
    const started = this.#started.get(id)
    if (started?.exchange === undefined) return
    const { exchange: { save, restore }, before } = started
    if (saved && save !== undefined && before !== undefined) this.#files?.saved(save, before)
    if (restore === undefined) return
    if (restored) {
      this.#files?.used(restore)
    } else {
      this.#files?.forget(restore)
      started.leastTokens = undefined
    }
  }

  released (id: string, account: Account | undefined, atMs: number): void {
    const started = this.#started.get(id)
    this.#started.delete(id)
    if (started === undefined) return
    const { slot, leastTokens } = started
    if (slot === undefined) {
      this.#unsureSinceMs = atMs
      return
    }
    this.#touched.set(slot, atMs)
    this.#memory.end(slot, account === undefined ? undefined : { prompt: account.evaluatedTokens + account.cachedTokens, output: account.outputTokens }, atMs)
    if (account !== undefined && leastTokens !== undefined) this.#check.add(leastTokens, account.cachedTokens)
  }

  /** What others did in a slot is not known. */
  saw ({ slots, askedAtMs }: SlotsReading): void {
    for (const { id, taskId } of slots) {
      if (!this.#touched.has(id) && this.#taskIds.get(id) !== taskId) this.#memory.forget(id)
      this.#taskIds.set(id, taskId)
    }
    for (const [slot, untilMs] of this.#touched) if (untilMs < askedAtMs - SETTLING_MS) this.#touched.delete(slot)
    if (this.#unsureSinceMs !== undefined && this.#unsureSinceMs < askedAtMs) this.#unsureSinceMs = undefined
  }

  #inFiles ({ prompt, reusesNothing }: SlotCall): ReturnType<SlotFiles['best']> {
    return prompt === undefined || reusesNothing === true ? undefined : this.#files?.best(prompt)
  }

  /** @param content of the slot, where that is certain */
  #exchangeFor (call: SlotCall, slot: number, content: Content | undefined): Exchange | undefined {
    if (call.prompt === undefined || call.reusesNothing === true) return undefined
    const lostTokens = content === undefined ? 0 : content.promptTokens + content.outputTokens - this.#shared(call, slot)
    return this.#files?.plan(call.prompt, this.#reused(call, slot), content, lostTokens)
  }

  /** Expected tokens that need not be evaluated. */
  #reused (call: SlotCall, slot: number, which: 'leastTokens' | 'likelyTokens' = 'likelyTokens'): number {
    return call.prompt === undefined || call.reusesNothing === true ? 0 : this.#memory.reuse(slot, call.prompt)[which]
  }

  /** Tokens that the slot goes on to have: a prompt leaves what it shares, whether or not it was spared evaluating it. */
  #shared ({ prompt }: SlotCall, slot: number): number {
    return prompt === undefined ? 0 : this.#memory.reuse(slot, prompt).likelyTokens
  }

  /** How much of each slot is worth keeping, above 0 to 1: 1 for the one whose conversation is expected soonest, and for all while nothing is known. */
  #keepShares (slots: readonly number[], atMs: number): ReadonlyMap<number, number> {
    const densities = slots.flatMap(slot => {
      const content = this.#memory.contentOf(slot)
      return content === undefined ? [] : [{ slot, density: this.#memory.returns.density(atMs - content.usedAtMs) }]
    })
    const soonest = Math.max(...densities.map(({ density = 0 }) => density))
    return new Map(densities.map(({ slot, density }) => [slot, density === undefined ? 1 : density / soonest]))
  }
}
