import { pino } from 'pino'
import type { Logger } from 'pino'
import type { CallRecord, PolicyLogger } from '../policies/contract.js'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** Where records and events of the gateway go. */
export interface GatewayLog {
  readonly logger: PolicyLogger
  write (record: CallRecord): void
  /** Writes what is buffered; the log may be used after it. */
  flush (): Promise<void>
  close (): Promise<void>
}

/** The gateway's log: JSON lines, one of them per call with `msg` `call`, written off the hot path. */
export class RecordLog implements GatewayLog {
  readonly logger: Logger
  readonly #destination: ReturnType<typeof pino.destination>
  readonly #flusher: NodeJS.Timeout

  /** @param file absent: stdout */
  constructor (file: string | undefined, level: LogLevel) {
    this.#destination = pino.destination({ dest: file ?? 1, sync: false, minLength: 12 * 1024, mkdir: true })
    // A reader that went away (`gateway | head`) or a full disk must not end the gateway.
    this.#destination.on('error', () => {})
    this.logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, this.#destination)
    this.#flusher = setInterval(() => { this.#destination.flush() }, 500)
    this.#flusher.unref()
  }

  write (record: CallRecord): void {
    if (!this.logger.isLevelEnabled('info')) return
    // In the form of a pino line, but in one go: pino walks the record key by key, which costs as much as the relay itself.
    this.#destination.write(`{"level":30${pino.stdTimeFunctions.isoTime()},${JSON.stringify(record).slice(1)}\n`)
  }

  async flush (): Promise<void> {
    await new Promise<void>(resolve => { this.#destination.flush(() => { resolve() }) })
  }

  async close (): Promise<void> {
    clearInterval(this.#flusher)
    await this.flush()
    this.#destination.end()
  }
}
