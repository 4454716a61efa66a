import { contextExceeded, kvFull } from './error-body.js'
import { Slot, type Task } from './slot.js'
import { chooseSlots } from './slot-choice.js'

export interface EngineOptions {
  readonly slots: number
  readonly slotContextTokens: number
  readonly prefillMsPerToken: number
  readonly decodeMsPerToken: number
  readonly batchTokens: number
  readonly kvPoolTokens: number
  readonly promptCache: boolean
}

/** What one step works on. The tasks are kept because a slot may change hands while the step runs. */
interface Batch {
  readonly parts: ReadonlyArray<{ readonly slot: Slot, readonly task: Task | undefined, readonly prefillTokens: number }>
  readonly durationMs: number
}

/**
 * llama-server's slots, its deferred queue and its one shared step, with no timers and no HTTP.
 * `begin` composes a step and says how long it takes, `end` hands out what it made; cancels wait for the next `begin`.
 */
export class Engine {
  readonly slots: readonly Slot[]
  readonly totals = { promptTokens: 0, cachedTokens: 0, promptMs: 0, predictedTokens: 0, predictedMs: 0, decodes: 0, busySlots: 0, maxTokens: 0 }
  readonly counts = { completed: 0, cancelled: 0, failed: 0, peakBusySlots: 0 }
  #deferred: Task[] = []
  #arrived: Task[] = []
  #cancels = new Set<number>()
  #batch: Batch | undefined
  #nowMs = 0

  constructor (readonly options: EngineOptions) {
    this.slots = Array.from({ length: options.slots }, (_, id) => new Slot(id))
  }

  get busySlots (): number { return this.slots.filter(slot => slot.task !== undefined).length }
  get deferred (): number { return this.#deferred.length }
  get stepping (): boolean { return this.#batch !== undefined }

  /** Starts the task, defers it, or, while a step runs, looks at it when that is over. */
  submit (task: Task): void {
    if (this.#batch === undefined) this.#tryStart(task)
    else this.#arrived.push(task)
  }

  /** A waiting task goes at once; a running one keeps its slots until the next step begins. */
  cancel (taskId: number): void {
    const isOther = (task: Task) => task.id !== taskId
    const waiting = this.#deferred.length + this.#arrived.length
    this.#deferred = this.#deferred.filter(isOther)
    this.#arrived = this.#arrived.filter(isOther)
    this.counts.cancelled += waiting - this.#deferred.length - this.#arrived.length
    if (this.slots.some(slot => slot.task?.id === taskId)) this.#cancels.add(taskId)
  }

  /** Every running task fails, as when the shared KV pool is full. */
  failRunning (): void {
    for (const task of new Set(this.slots.map(slot => slot.task))) {
      if (task === undefined) continue
      this.counts.failed++
      const held = this.slots.filter(slot => slot.task === task)
      for (const slot of held) this.#free(slot)
      task.listener.failed(kvFull())
    }
  }

  /** Duration of the step that was begun, milliseconds; `undefined`: there is nothing to do. */
  begin (): number | undefined {
    this.#honourCancels()
    const decoding = this.slots.filter(slot => slot.decoding)
    const parts = decoding.map(slot => ({ slot, task: slot.task, prefillTokens: 0 }))
    let prefillSum = 0
    for (const slot of this.slots) {
      const room = this.options.batchTokens - decoding.length - prefillSum
      const prefillTokens = slot.follows ? 0 : Math.min(slot.prefillLeft, room)
      if (prefillTokens <= 0) continue
      parts.push({ slot, task: slot.task, prefillTokens })
      prefillSum += prefillTokens
    }
    if (parts.length === 0) return undefined
    const durationMs = prefillSum * this.options.prefillMsPerToken + (decoding.length > 0 ? this.options.decodeMsPerToken : 0)
    this.#batch = { parts, durationMs }
    return durationMs
  }

  end (): void {
    const batch = this.#batch
    if (batch === undefined) return
    this.#batch = undefined
    this.#nowMs += batch.durationMs
    this.totals.decodes++
    this.totals.busySlots += batch.parts.length
    for (const { slot, task, prefillTokens } of batch.parts) {
      if (slot.task !== task) continue
      if (prefillTokens > 0) this.#prefill(slot, prefillTokens)
      else this.#predict(slot)
    }
    if (this.slots.reduce((sum, slot) => sum + slot.usedTokens, 0) >= this.options.kvPoolTokens) this.failRunning()
    for (const task of this.#arrived.splice(0)) this.#tryStart(task)
  }

  #prefill (slot: Slot, tokens: number): void {
    const task = slot.task
    if (task === undefined) return
    slot.prefill(tokens, this.#nowMs)
    if (slot.prefillLeft > 0) return
    const { promptTokens, cachedTokens, promptMs } = slot.measured
    this.totals.promptTokens += promptTokens - cachedTokens
    this.totals.cachedTokens += cachedTokens
    this.totals.promptMs += promptMs
    const choices = this.slots.filter(other => other.task === task)
    for (const other of choices) if (other !== slot) other.copyPrompt(slot)
    for (const other of choices) {
      if (task.maxTokens === 0) this.#finish(other)
      else this.#predict(other)
    }
  }

  #predict (slot: Slot): void {
    const task = slot.task
    if (task === undefined) return
    slot.predict(this.#nowMs)
    this.totals.predictedTokens++
    this.totals.maxTokens = Math.max(this.totals.maxTokens, slot.usedTokens)
    task.listener.token(slot.choice, slot.measured)
    if (slot.measured.predictedTokens >= task.maxTokens) this.#finish(slot)
  }

  #finish (slot: Slot): void {
    const task = slot.task
    if (task === undefined) return
    const { choice, measured } = slot
    this.totals.predictedMs += measured.predictedMs
    if (this.slots.every(other => other === slot || other.task !== task)) this.counts.completed++
    task.listener.ended(choice, measured, slot.id)
    this.#free(slot)
  }

  #honourCancels (): void {
    const cancels = [...this.#cancels]
    this.#cancels.clear()
    for (const id of cancels) {
      const held = this.slots.filter(slot => slot.task?.id === id)
      if (held.length > 0) this.counts.cancelled++
      for (const slot of held) this.#free(slot)
    }
  }

  /** As in llama-server: a freed slot calls one waiting task, the first that is pinned to it, else the first; if that cannot start it goes to the end. */
  #free (slot: Slot): void {
    slot.free()
    slot.lastUsedStep = this.totals.decodes
    const pinned = this.#deferred.findIndex(task => task.pinnedSlot === slot.id)
    const [next] = this.#deferred.splice(Math.max(pinned, 0), 1)
    if (next !== undefined) this.#tryStart(next)
  }

  #tryStart (task: Task): void {
    const chosen = chooseSlots(this.slots, task, this.options.promptCache)
    if (chosen === undefined) {
      this.#deferred.push(task)
      return
    }
    if (task.promptIds.length >= this.options.slotContextTokens) {
      task.listener.failed(contextExceeded(task.promptIds.length, this.options.slotContextTokens))
      this.counts.failed++
      const [first] = chosen
      if (first !== undefined) this.#free(first)
      return
    }
    chosen.forEach((slot, choice) => slot.take(task, choice, this.#nowMs, this.options.promptCache))
    this.counts.peakBusySlots = Math.max(this.counts.peakBusySlots, this.busySlots)
    task.listener.started(chosen.map(slot => slot.id))
  }
}
