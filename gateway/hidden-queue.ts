import type { CallRecord, PolicyLogger } from '../policies/contract.js'

/** llama-server starts a call between two batches; what waits longer than this, milliseconds, waited for a slot or for a very long batch. */
const lateMs = 1_000
/** Streams that are looked at, and how many of them must be late for a warning. */
const window = 20
const tooMany = 10
/** Streams between two warnings. */
const pause = 500

/**
 * The self-check of admission: a call that got a place must not wait behind our back. llama-server sends a stream's headers when its slot starts (L12), so the time from sending to headers
 * is the time in its hidden queue (L1).
 */
export class HiddenQueue {
  readonly #log: PolicyLogger
  readonly #observe: (waitMs: number) => void
  readonly #late: boolean[] = []
  #untilNext = 0

  /** @param observe gets each wait, milliseconds */
  constructor (log: PolicyLogger, observe: (waitMs: number) => void) {
    this.#log = log
    this.#observe = observe
  }

  add (record: CallRecord): void {
    const waitMs = hiddenWaitMs(record)
    if (waitMs === undefined) return
    this.#observe(waitMs)
    this.#late.push(waitMs > lateMs)
    if (this.#late.length > window) this.#late.shift()
    if (--this.#untilNext > 0) return
    const late = this.#late.filter(each => each).length
    if (late < tooMany) return
    this.#untilNext = pause
    this.#log.warn({ late, of: this.#late.length, lateMs }, 'llama-server starts calls late, though they had a place: somebody uses it past the gateway, or admission\'s "slots" is more than it has, ' +
      'or one batch takes that long (then a smaller -b helps)')
  }
}

/**
 * Milliseconds that a call waited in llama-server after it was sent; undefined where that cannot be seen: not streamed, refused, given from a cache, or sent after chunks of its prompt.
 */
function hiddenWaitMs ({ stream, status, admittedAtMs, upstreamHeadersAtMs, decisions }: CallRecord): number | undefined {
  if (!stream || status !== 200 || admittedAtMs === undefined || upstreamHeadersAtMs === undefined) return undefined
  if (decisions.some(({ facts }) => facts['chunks'] !== undefined)) return undefined
  return upstreamHeadersAtMs - admittedAtMs
}
