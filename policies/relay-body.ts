import { Readable } from 'node:stream'

/** Where a body is relayed to without the stream machinery in between. */
export interface Sink {
  /** False: full, call `resume` of the body when there is room again. */
  write (chunk: Buffer): boolean
  end (): void
  cut (error: Error): void
}

const heldLimitBytes = 64 * 1024

/**
 * The body of an upstream answer. It is an ordinary Readable for a policy that wants to read it; when nobody did, the
 * writer takes `relayTo` and every chunk goes straight from upstream's parser to the client's socket.
 */
export class RelayBody extends Readable {
  readonly #resumeUpstream: () => void
  #held: Buffer[] = []
  #heldBytes = 0
  #sink: Sink | undefined
  #watcher: Sink | undefined
  #read = false
  #end: 'open' | 'ended' | Error = 'open'

  /** @param resumeUpstream called when there is room again after `deliver` said false */
  constructor (resumeUpstream: () => void) {
    super({ highWaterMark: heldLimitBytes })
    this.#resumeUpstream = resumeUpstream
  }

  /** From upstream. False: pause until `resumeUpstream` is called. */
  deliver (chunk: Buffer): boolean {
    this.#watcher?.write(chunk)
    if (this.#sink !== undefined) return this.#sink.write(chunk)
    if (this.#read) return this.push(chunk)
    this.#held.push(chunk)
    this.#heldBytes += chunk.length
    return this.#heldBytes < heldLimitBytes
  }

  /** From upstream: the body is complete. */
  finish (): void {
    this.#end = 'ended'
    this.#watcher?.end()
    if (this.#sink !== undefined) this.#sink.end()
    else if (this.#read) this.push(null)
  }

  /** From upstream: the body will never be complete. */
  fail (error: Error): void {
    if (this.#end !== 'open') return
    this.#end = error
    this.#watcher?.cut(error)
    if (this.#sink !== undefined) this.#sink.cut(error)
    else if (this.#read) this.destroy(error)
  }

  /** All bytes of a body that is already complete and unread; undefined otherwise. */
  takeWhole (): Buffer | undefined {
    if (this.#read || this.#end !== 'ended' || this.#sink !== undefined) return undefined
    const [only] = this.#held
    return this.#held.length === 1 ? only : Buffer.concat(this.#held)
  }

  /**
   * Shows all present and coming bytes to one more, whose `write` is not asked whether there is room: it takes what it wants to keep.
   * Before anybody takes them, and once.
   */
  watch (watcher: Sink): void {
    if (this.#read || this.#sink !== undefined || this.#watcher !== undefined) throw new Error('a body is watched before it is relayed, and by one')
    this.#watcher = watcher
    for (const chunk of this.#held) watcher.write(chunk)
    if (this.#end === 'ended') watcher.end()
    else if (this.#end !== 'open') watcher.cut(this.#end)
  }

  /** Hands all present and coming bytes to the sink. False when somebody reads this body as a stream: then the caller must, too. */
  relayTo (sink: Sink): boolean {
    if (this.#read || this.#sink !== undefined) return false
    this.#sink = sink
    let room = true
    for (const chunk of this.#held) room = sink.write(chunk)
    this.#held = []
    if (this.#end === 'ended') sink.end()
    else if (this.#end !== 'open') sink.cut(this.#end)
    else if (room) this.#resumeUpstream()
    return true
  }

  /** From the sink: there is room again. */
  resumeRelay (): void {
    this.#resumeUpstream()
  }

  override _read (): void {
    if (this.#read) {
      this.#resumeUpstream()
      return
    }
    this.#read = true
    for (const chunk of this.#held) this.push(chunk)
    this.#held = []
    if (this.#end === 'ended') this.push(null)
    else if (this.#end !== 'open') this.destroy(this.#end)
    else this.#resumeUpstream()
  }
}

/** A stream of any kind as a body that can be relayed. */
export function relayOf (body: Readable): RelayBody {
  if (body instanceof RelayBody) return body
  const relay = new RelayBody(() => { body.resume() })
  body.on('data', (chunk: Buffer) => { if (!relay.deliver(chunk)) body.pause() })
  body.on('end', () => { relay.finish() })
  body.on('error', error => { relay.fail(error) })
  body.on('close', () => { if (!body.readableEnded) relay.fail(new Error('closed before its end')) })
  return relay
}
