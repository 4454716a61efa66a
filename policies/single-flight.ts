import type { OwnAnswer } from './answers.js'
import { freshnessOf } from './cache-control.js'
import { keyOf } from './call-key.js'
import type { Answer, Call, Next, Policy, PolicyFactory, PolicyInstance, Port } from './contract.js'
import { isDeterministic, refersElsewhere } from './determinism.js'
import { Flight } from './flight.js'
import { cacheHeader } from './response-cache.js'
import { idempotencyKeyOf, retryCountOf } from './retry.js'
import { singleFlightSchema, withFlightDefaults, type SingleFlightOptions } from './single-flight-options.js'

/** Settings of sampling at a server's start do not change while it runs; older than this, milliseconds, they are asked for again. */
const SAMPLING_AGE_MS = 10_000

/** Identical calls at one time are one call upstream. */
class SingleFlight implements PolicyInstance {
  readonly #options: Required<SingleFlightOptions>
  readonly #port: Port
  readonly #flights = new Map<string, Set<Flight>>()
  readonly #counts = { led: 0, followed: 0, reattached: 0, alone: 0 }

  constructor (options: SingleFlightOptions, port: Port) {
    this.#options = withFlightDefaults(options)
    this.#port = port
  }

  readonly gauges = (): Readonly<Record<string, number>> => {
    const flights = [...this.#flights.values()].flatMap(set => [...set])
    return { ...this.#counts, flights: flights.length, aboard: flights.reduce((sum, { aboard }) => sum + aboard, 0) }
  }

  readonly drain = (): void => {}

  readonly run: Policy = async (call, next) => {
    if (freshnessOf(call.headers.get('cache-control')).fresh) return this.#alone(call, next, 'a fresh answer asked for')
    const key = keyOf(call, this.#options.sharedAmong, '')
    if (key === undefined) return this.#alone(call, next, 'body not readable')
    const deterministic = await this.#isDeterministic(call)
    for (;;) {
      call.signal.throwIfAborted()
      const flight = this.#flightFor(call, key, deterministic)
      if (flight === undefined) return this.#lead(call, next, key, deterministic)
      const facts = { behindMs: this.#port.clock.nowMs() - flight.startedAtMs, sentBytes: flight.sentBytes }
      const answer = await flight.board(call)
      if (answer !== undefined) return this.#followed(answer, flight, facts)
    }
  }

  #alone (call: Call, next: Next, why: string): Promise<Answer> {
    this.#counts.alone++
    return next(call, why)
  }

  #followed (answer: Answer, { leader, deterministic }: Flight, facts: OwnAnswer['facts'] & object): OwnAnswer {
    this.#counts[deterministic ? 'followed' : 'reattached']++
    return {
      ...answer,
      headers: { ...answer.headers, [cacheHeader]: 'coalesced' },
      because: deterministic ? 'the same call is under way' : 'a retry of a call under way',
      follows: leader.id,
      facts
    }
  }

  async #lead (call: Call, next: Next, key: string, deterministic: boolean): Promise<Answer> {
    this.#counts.led++
    const flights = this.#flights.get(key) ?? new Set<Flight>()
    this.#flights.set(key, flights)
    const { maxBehindBytes, retryGraceMs } = this.#options
    const flight = new Flight(call, deterministic, {
      clock: this.#port.clock,
      maxBehindBytes,
      retryGraceMs,
      onClosed: () => {
        flights.delete(flight)
        if (flights.size === 0 && this.#flights.get(key) === flights) this.#flights.delete(key)
      }
    })
    flights.add(flight)
    const boarded = flight.board(call)
    next(flight.call, 'nobody asked the same').then(answer => { flight.answered(answer) }, error => { flight.failed(error) })
    const answer = await boarded
    if (answer === undefined) throw new Error('single-flight: the first call of a flight got no answer')
    return answer
  }

  /** One under way whose answer this call may have. */
  #flightFor (call: Call, key: string, deterministic: boolean): Flight | undefined {
    const flights = [...this.#flights.get(key) ?? []].filter(flight => flight.admits(call))
    if (deterministic) return flights[0]
    if (retryCountOf(call) === 0 && idempotencyKeyOf(call) === undefined) return undefined
    // Several draws of the same caller: only the one that nobody waits for is known to be the one that is tried again.
    return flights.find(flight => flight.aboard === 0) ?? (flights.length === 1 ? flights[0] : undefined)
  }

  async #isDeterministic (call: Call): Promise<boolean> {
    const { backend, clock } = this.#port
    const served = await backend.served(clock.nowMs() - SAMPLING_AGE_MS)
    return served !== undefined && isDeterministic(call, served.sampling) && !refersElsewhere(call.body.json)
  }
}

/** Asks upstream once for identical calls at one time. Belongs outside of `admission`, which holds a place for the one that goes on, and inside of `response-cache`. */
export const singleFlight: PolicyFactory<SingleFlightOptions> = {
  name: 'single-flight',
  schema: singleFlightSchema,
  create: (options, port) => new SingleFlight(options, port)
}
