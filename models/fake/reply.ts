import type { ServerResponse } from 'node:http'
import type { CallFault } from './fault.js'
import { ServerError } from './error-body.js'
import { isRecord } from './json.js'

const JSON_TYPE = 'application/json; charset=utf-8'

/** Writes one answer as llama-server does, and goes wrong as the fault says. */
export class Reply {
  #events = 0
  #muted = false
  #sizeIndex = 0

  constructor (readonly response: ServerResponse, readonly fault: CallFault | undefined) {
    response.sendDate = false
    response.setHeader('Server', 'llama.cpp')
  }

  get streaming (): boolean { return this.response.headersSent }
  get events (): number { return this.#events }

  json (body: unknown): void {
    this.#whole(200, JSON_TYPE, JSON.stringify(body))
  }

  text (contentType: string, body: string): void {
    this.#whole(200, contentType, body)
  }

  /** As an HTTP answer, or, when a stream is under way, as its last event; `bare`: see `AnswerFormat.bareErrors`. */
  error (error: ServerError, bare = false): void {
    if (this.streaming) {
      if (bare) this.line(JSON.stringify(error.body.error), 'event: error\n')
      else this.event(error.body)
      this.end()
      return
    }
    this.response.setHeader('Connection', 'close')
    this.#whole(error.status, JSON_TYPE, JSON.stringify(error.body))
  }

  openStream (): void {
    this.response.writeHead(200, { 'X-Accel-Buffering': 'no', 'Content-Type': 'text/event-stream' })
    this.response.flushHeaders()
    this.#misbehave()
  }

  /** `named`: with an `event:` line that has its `type`. */
  event (data: unknown, named = false): void {
    const name = named && isRecord(data) ? `event: ${String(data['type'])}\n` : ''
    this.line(JSON.stringify(data), name)
  }

  line (data: string, before = ''): void {
    if (this.#muted) return
    this.#write(`${before}data: ${data}\n\n`)
    this.#events++
    this.#misbehave()
  }

  end (): void {
    if (!this.#muted) this.response.end()
  }

  #misbehave (): void {
    const fault = this.fault
    if (fault?.kind === 'hang-mid-stream' && this.#events >= fault.afterEvents) this.#muted = true
    if (fault?.kind === 'cut-mid-stream' && this.#events >= fault.afterEvents) this.#cut()
  }

  /** Ends the connection after what was written, without an end of the answer. */
  #cut (): void {
    this.#muted = true
    this.response.socket?.destroySoon()
  }

  #whole (status: number, contentType: string, body: string): void {
    const bytes = Buffer.from(body)
    this.response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': bytes.length })
    // A whole answer has no events: a fault in mid-stream hits it in the middle of its body.
    const kind = this.fault?.kind
    if (kind === 'cut-mid-stream' || kind === 'hang-mid-stream') {
      this.#write(bytes.subarray(0, bytes.length / 2))
      if (kind === 'cut-mid-stream') this.#cut()
      return
    }
    this.#write(bytes)
    this.response.end()
  }

  #write (data: string | Uint8Array): void {
    if (this.fault?.kind !== 'split') {
      this.response.write(data)
      return
    }
    const bytes = Buffer.from(data)
    const sizes = this.fault.sizes
    for (let from = 0; from < bytes.length;) {
      const size = sizes[this.#sizeIndex++ % sizes.length] ?? 1
      this.response.write(bytes.subarray(from, from + size))
      from += size
    }
  }
}
