import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock, Memory, PolicyLogger } from '../policies/contract.js'

/** Time between two writes, milliseconds: what is lost in a crash is learned again in as long. */
const saveIntervalMs = 60_000

/** What policies want to know again after a restart, in one JSON file; without a file nothing outlives the process. */
export class FileMemory implements Memory {
  readonly #file: string | undefined
  readonly #clock: Clock
  readonly #log: PolicyLogger
  readonly #kept: Readonly<Record<string, unknown>>
  readonly #keepers = new Map<string, () => unknown>()
  #timer: unknown

  /** A file that is not there, or holds no JSON object, is an empty memory; the next write makes it anew. */
  constructor (file: string | undefined, clock: Clock, log: PolicyLogger) {
    this.#file = file
    this.#clock = clock
    this.#log = log
    this.#kept = file === undefined ? {} : this.#read(file)
    this.#arm()
  }

  recall (name: string): unknown {
    return this.#kept[name]
  }

  keep (name: string, value: () => unknown): void {
    this.#keepers.set(name, value)
  }

  /** Writes for the last time. */
  close (): void {
    this.#clock.clearTimeout(this.#timer)
    this.#save()
  }

  #arm (): void {
    if (this.#file === undefined) return
    this.#timer = this.#clock.setTimeout(() => {
      this.#save()
      this.#arm()
    }, saveIntervalMs)
  }

  #read (file: string): Readonly<Record<string, unknown>> {
    try {
      const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'))
      return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {}
    } catch (error) {
      if (Reflect.get(Object(error), 'code') !== 'ENOENT') this.#log.warn({ err: error, file }, 'state.file cannot be read; what was learned before is learned again')
      return {}
    }
  }

  /** Beside the file first, so that a crash in the middle leaves the old one. */
  #save (): void {
    if (this.#file === undefined) return
    try {
      mkdirSync(dirname(this.#file), { recursive: true })
      // Who has learned nothing yet, or is not in this configuration, keeps what was there.
      const values = Object.fromEntries([...this.#keepers].map(([name, value]) => [name, value() ?? this.#kept[name]]))
      writeFileSync(`${this.#file}.new`, JSON.stringify({ ...this.#kept, ...values }))
      renameSync(`${this.#file}.new`, this.#file)
    } catch (error) {
      this.#log.warn({ err: error, file: this.#file }, 'state.file cannot be written; what is learned now is lost at the end')
    }
  }
}
