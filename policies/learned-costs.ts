import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Port } from './contract.js'
import { savedCostsSchema } from './cost-model.js'
import type { Schedule } from './schedule.js'

/** What is kept over a restart of the gateway. */
const keptSchema = Type.Object({ model: Type.String(), costs: savedCostsSchema })

/** What a schedule has learned of costs, kept under a policy's name for the model that it holds for. */
export class LearnedCosts {
  readonly #name: string
  readonly #port: Port
  readonly #schedule: Pick<Schedule, 'costs' | 'forgetCosts' | 'restore'>
  /** The model whose costs are learned, once it is known. */
  #model: string | undefined

  constructor (name: string, port: Port, schedule: Pick<Schedule, 'costs' | 'forgetCosts' | 'restore'>) {
    this.#name = name
    this.#port = port
    this.#schedule = schedule
    port.memory.keep(name, () => this.#model === undefined ? undefined : { model: this.#model, costs: schedule.costs })
  }

  /** Costs that an earlier life of the gateway learned of the model that is served now, once it is known which one that is; those of a model that went away are forgotten. */
  recall (): void {
    const props = this.#port.backend.props()
    if (props === undefined) return
    const model = JSON.stringify([props.modelPath, props.buildInfo, props.totalSlots])
    if (model === this.#model) return
    if (this.#model !== undefined) this.#schedule.forgetCosts()
    this.#model = model
    const kept = this.#port.memory.recall(this.#name)
    if (Value.Check(keptSchema, kept) && kept.model === model) this.#schedule.restore(kept.costs, this.#port.clock.nowMs())
  }
}
