import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { pino } from 'pino'
import type { Logger } from 'pino'
import type { CallRecord, PassRecord, PolicyLogger } from '../policies/contract.js'
import { UsageError } from './usage-error.js'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** Where records and events of the gateway go. */
export interface GatewayLog {
  readonly logger: PolicyLogger
  write (record: CallRecord | PassRecord): void
  /** Writes what is buffered; the log may be used after it. */
  flush (): Promise<void>
  close (): Promise<void>
}

/** The gateway's log: JSON lines, one of them per call with `msg` `call` (`pass` where it went past the chain), written off the hot path. */
export class RecordLog implements GatewayLog {
  readonly logger: Logger
  readonly #destination: ReturnType<typeof pino.destination>
  readonly #flusher: NodeJS.Timeout

  /**
   * @param file absent: stdout
   * @throws UsageError when the file cannot be written
   */
  constructor (file: string | undefined, level: LogLevel) {
    if (file !== undefined) checkWritable(file)
    this.#destination = pino.destination({ dest: file ?? 1, sync: false, minLength: 12 * 1024 })
    // A reader that went away (`gateway | head`) or a full disk must not end the gateway.
    this.#destination.on('error', () => {})
    this.logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, this.#destination)
    this.#flusher = setInterval(() => { this.#destination.flush() }, 500)
    this.#flusher.unref()
  }

  write (record: CallRecord | PassRecord): void {
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

function checkWritable (file: string): void {
  try {
    makeFolder(dirname(file))
    closeSync(openSync(file, 'a'))
  } catch (error) {
    throw new UsageError(`log.file ${file}: cannot be written (${error instanceof Error && 'code' in error ? String(error.code) : String(error)}); choose another with --log-file`)
  }
}

/** Node's own recursive mkdir never comes back where the kernel says ENOENT below a folder that is there (/proc). */
function makeFolder (folder: string): void {
  try {
    mkdirSync(folder)
  } catch (error) {
    const code: unknown = Reflect.get(Object(error), 'code')
    if (code === 'EEXIST') return
    if (code !== 'ENOENT') throw error
    makeFolder(dirname(folder))
    mkdirSync(folder)
  }
}
