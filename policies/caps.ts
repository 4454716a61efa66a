import type { Call } from './contract.js'
import { routeName, routePath } from './need.js'
import { isCapName, type CapName, type CapOptions, type PromptCapOptions } from './prompt-cap-options.js'

export interface Cap {
  readonly value: number
  /** Where the configuration says it, for messages: `prompt-cap.perCaller["ann"].maxTurns`. */
  readonly option: string
}

/** The caps of one call. Absent: none. */
export type CallCaps = { readonly [name in CapName]?: Cap }

/** Which caps are a call's: the caller's go over the route's, and those over the general ones, each cap by itself. */
export class Caps {
  readonly #general: CallCaps
  /** By path without query; both spellings of a route, with `/v1` and without. */
  readonly #byRoute: ReadonlyMap<string, CallCaps>
  readonly #byCaller: ReadonlyMap<string, CallCaps>

  constructor (options: PromptCapOptions) {
    this.#general = capsOf({ maxTokens: 1_024, minOutputTokens: 1, ...options }, 'prompt-cap')
    this.#byRoute = new Map(bothSpellings(named(options.perRoute, 'prompt-cap.perRoute')))
    this.#byCaller = named(options.perCaller, 'prompt-cap.perCaller')
  }

  of (call: Pick<Call, 'caller' | 'path'>): CallCaps {
    const byCaller = this.#byCaller.get(call.caller)
    const byRoute = this.#byRoute.size === 0 ? undefined : this.#byRoute.get(routePath(call.path))
    return byCaller === undefined && byRoute === undefined ? this.#general : { ...this.#general, ...byRoute, ...byCaller }
  }
}

function named (options: Readonly<Record<string, CapOptions>> = {}, place: string): Map<string, CallCaps> {
  return new Map(Object.entries(options).map(([name, caps]) => [name, capsOf(caps, `${place}[${JSON.stringify(name)}]`)]))
}

function bothSpellings (byPath: ReadonlyMap<string, CallCaps>): Array<[path: string, caps: CallCaps]> {
  return [...byPath.keys()].flatMap((given): Array<[path: string, caps: CallCaps]> => {
    const name = routeName(given)
    const [short, long] = [byPath.get(name), byPath.get(`/v1${name}`)]
    return [[name, { ...long, ...short }], [`/v1${name}`, { ...short, ...long }]]
  })
}

function capsOf (options: CapOptions, place: string): CallCaps {
  const caps: { [name in CapName]?: Cap } = {}
  for (const [name, value] of Object.entries(options)) {
    if (isCapName(name)) caps[name] = { value, option: `${place}.${name}` }
  }
  return caps
}
