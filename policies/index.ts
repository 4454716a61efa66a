import { admission } from './admission.js'
import { batching } from './batching.js'
import type { PolicyFactory, PolicyInstance, Port } from './contract.js'
import { promptCap } from './prompt-cap.js'
import { responseCache } from './response-cache.js'
import { singleFlight } from './single-flight.js'

/** A policy as the config file knows it: `create` takes options that its schema has accepted. */
export interface RegisteredPolicy {
  readonly name: string
  readonly schema: object
  /** `options` must have been checked against `schema`. */
  create (options: object, port: Port): PolicyInstance
}

/** Every policy by its name in the config file. */
export const policyFactories: Readonly<Record<string, RegisteredPolicy>> = Object.fromEntries(
  [registered(admission), registered(batching), registered(promptCap), registered(responseCache), registered(singleFlight)].map(factory => [factory.name, factory])
)

/** The one place where options checked by a schema become the type that was derived from it. */
function registered<O extends object> (factory: PolicyFactory<O>): RegisteredPolicy {
  return { name: factory.name, schema: factory.schema, create: (options, port) => factory.create(options as O, port) }
}
