/** What shall go wrong. Stream positions count events (`data:` lines), `[DONE]` included. */
export type Fault =
  /** The connection is reset once the request was read, before any byte of an answer. */
  | { readonly kind: 'reset-before-headers' }
  /** The request is read and never answered. */
  | { readonly kind: 'hang-before-headers' }
  /** The connection ends, without an end of the answer, after so many events. */
  | { readonly kind: 'cut-mid-stream', readonly afterEvents: number }
  /** Nothing more is sent after so many events; the connection stays open. */
  | { readonly kind: 'hang-mid-stream', readonly afterEvents: number }
  /**
   * Every running call fails with 500 `Context size has been exceeded.`: before this call's headers, or after them and so many of its
   * events. llama-server sends a stream's headers when its slot starts, so there a stream fails after 0 events or more.
   */
  | { readonly kind: 'kv-full', readonly afterEvents?: number }
  /** The answer's body is written in pieces of these sizes, bytes, over and over: `[1]` is byte by byte. */
  | { readonly kind: 'split', readonly sizes: readonly number[] }
  /** Connections are dropped and new ones refused, until `release()`. */
  | { readonly kind: 'refuse' }
  /** Nothing is decoded, `/slots` and `/metrics` hang, `/health` says 200, until `release()`. */
  | { readonly kind: 'wedge' }
  /** Every route answers 503 `Loading model`, until `release()`. */
  | { readonly kind: 'loading' }

/** A fault of a single call. */
export type CallFault = Exclude<Fault, { readonly kind: 'refuse' | 'wedge' | 'loading' }>

export interface FaultScope {
  /** Only calls to this path. Default: any route that needs a slot. */
  readonly path?: string
  /** How many calls it hits. Default 1. */
  readonly times?: number
}

/** The faults that wait for their call. */
export class FaultBook {
  #entries: Array<{ fault: CallFault, path: string | undefined, left: number }> = []

  add (fault: CallFault, scope: FaultScope): void {
    if (fault.kind === 'split' && (fault.sizes.length === 0 || fault.sizes.some(size => !(size >= 1)))) {
      throw new RangeError(`fake llama-server: split sizes are [${fault.sizes.join(', ')}]; give at least one size of at least 1 byte`)
    }
    this.#entries.push({ fault, path: scope.path, left: scope.times ?? 1 })
  }

  take (path: string, needsSlot: boolean): CallFault | undefined {
    const entry = this.#entries.find(entry => entry.path === undefined ? needsSlot : entry.path === path)
    if (entry === undefined) return undefined
    entry.left--
    this.#entries = this.#entries.filter(entry => entry.left > 0)
    return entry.fault
  }
}
