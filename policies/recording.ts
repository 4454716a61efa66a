import { Readable } from 'node:stream'
import type { Answer } from './contract.js'
import type { Sink } from './relay-body.js'
import { relayOf } from './relay-body.js'

/** Headers of one delivery, not of the answer. */
const DELIVERY = /^(?:content-length|date|age|x-weir-.*)$/

/** Keeps the bytes of an answer while they pass. No chunk is parsed. */
export class Recording implements Sink {
  readonly #maxBytes: number
  readonly #ended: (body: Buffer | undefined) => void
  #chunks: Buffer[] = []
  #bytes = 0

  /** @param ended told once: all bytes, or undefined when the answer was broken off or has more than `maxBytes` */
  constructor (maxBytes: number, ended: (body: Buffer | undefined) => void) {
    this.#maxBytes = maxBytes
    this.#ended = ended
  }

  write (chunk: Buffer): boolean {
    this.#bytes += chunk.length
    if (this.#bytes <= this.#maxBytes) this.#chunks.push(chunk)
    else this.#chunks = []
    return true
  }

  end (): void {
    this.#ended(this.#bytes <= this.#maxBytes ? Buffer.concat(this.#chunks) : undefined)
  }

  cut (): void {
    this.#ended(undefined)
  }
}

/**
 * The same answer, recorded while it passes.
 * @param keep called when it is over, complete and no longer than `maxBytes`
 */
export function recorded (answer: Answer, maxBytes: number, keep: (body: Buffer) => void): Answer {
  const { body: source } = answer
  if (!(source instanceof Readable)) {
    answer.over.then(({ how }) => { if (how === 'complete' && source.length <= maxBytes) keep(source) })
    return answer
  }
  const body = relayOf(source)
  body.watch(new Recording(maxBytes, recording => {
    // Both must say so: a stream may end properly and without its route's last event.
    answer.over.then(({ how, bytes }) => { if (how === 'complete' && recording?.length === bytes) keep(recording) })
  }))
  return { ...answer, body }
}

/** A complete 200 of upstream's own, whose bytes mean the same to whoever gets them. */
export function mayBeKept ({ status, reason, headers }: Answer): boolean {
  return status === 200 && reason === undefined && headers['set-cookie'] === undefined && headers['content-encoding'] === undefined &&
    !/\b(?:no-store|private)\b/i.test(String(headers['cache-control'] ?? ''))
}

export function keptHeaders (headers: Answer['headers']): Answer['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !DELIVERY.test(name)))
}
