import { Engine } from './engine.js'
import { FaultBook } from './fault.js'
import type { FakeSettings } from './options.js'
import { Pace } from './pace.js'
import { Words } from './words.js'

/** What all routes of one fake share. */
export class Core {
  readonly engine: Engine
  readonly pace: Pace
  readonly words = new Words()
  readonly faults = new FaultBook()
  /** Answers of `/slots` and `/metrics` that hang in a wedged server. */
  readonly hanging: Array<() => void> = []
  wedged = false
  loading = false
  /** Calls whose connection was lost before their answer's end. */
  left = 0
  #lastTaskId = 0

  constructor (readonly settings: FakeSettings, readonly changed: () => void) {
    this.engine = new Engine(settings)
    this.pace = new Pace(this.engine, settings.clock, settings.manual, changed)
  }

  nextTaskId (): number {
    return ++this.#lastTaskId
  }

  /** Answers at once, or, while wedged, when that is over. */
  throughQueue (answer: () => void): void {
    if (this.wedged) this.hanging.push(answer)
    else answer()
  }
}
