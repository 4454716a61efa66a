import type { Call, Port } from './contract.js'
import type { SlotStrategy } from './slot-choice.js'

/** So many exchanges in a row must fail before it is believed that they always will. */
const FAILURES = 2

/** The mechanism of slot files: before a call runs in its slot, what the slot holds is written to a file, and what the call needs is read from one. */
export class SlotExchange {
  readonly #port: Port
  readonly #strategy: SlotStrategy
  readonly #gauges = { slotSaves: 0, slotRestores: 0, slotExchangeFailures: 0 }
  #failuresInARow = 0

  constructor (port: Port, strategy: SlotStrategy) {
    this.#port = port
    this.#strategy = strategy
  }

  /** Since the start. `slotFilesOff` 1: switched off until the gateway is started again. */
  get gauges (): Readonly<Record<string, number>> { return { ...this.#gauges, slotFilesOff: this.#isOff ? 1 : 0 } }

  /** Never rejects: where it fails the prompt is evaluated, as without. @param id of the call in the schedule */
  async before (id: string, call: Call, slot: number): Promise<void> {
    const exchange = this.#strategy.exchange?.(id)
    if (exchange === undefined) return
    const { save, restore } = exchange
    const may = call.shadow !== true && !this.#isOff
    const saved = may && save !== undefined && await this.#try('save', slot, save, call)
    // What was not saved is overwritten all the same: the call is to run in this slot.
    const restored = may && !this.#isOff && restore !== undefined && await this.#try('restore', slot, restore, call)
    this.#strategy.exchanged?.(id, { saved, restored })
  }

  async #try (action: 'save' | 'restore', slot: number, file: number, call: Call): Promise<boolean> {
    const { backend, log } = this.#port
    try {
      await backend.moveSlot(action, slot, `weir-slot-${file}.bin`)
      this.#gauges[action === 'save' ? 'slotSaves' : 'slotRestores']++
      this.#failuresInARow = 0
      return true
    } catch (error) {
      this.#gauges.slotExchangeFailures++
      const off = ++this.#failuresInARow >= FAILURES
      log.warn({ id: call.id, action, slot, err: error }, `admission: llama-server did not ${action} a slot${off ? '; slotFiles is off until the gateway is started again (llama-server needs --slot-save-path FOLDER, and room there)' : ''}`)
      return false
    }
  }

  get #isOff (): boolean { return this.#failuresInARow >= FAILURES }
}
