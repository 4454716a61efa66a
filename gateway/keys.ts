import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Config } from './config-schema.js'

/** The callers' keys, kept as their hashes only. */
export class Keys {
  readonly #nameOfHash: ReadonlyMap<string, string>

  constructor (keys: Config['apiKeys']) {
    this.#nameOfHash = new Map(keys.map(key => [key.sha256, key.name]))
  }

  /** False: no keys are configured, everybody may call. */
  get required (): boolean {
    return this.#nameOfHash.size > 0
  }

  /** Who asks, for records and policies: the key's name, or the address where no keys are needed. */
  nameOf (request: { readonly headers: IncomingHttpHeaders, readonly ip: string }): string {
    return this.required ? this.callerOf(request.headers) ?? request.ip : request.ip
  }

  /** Name of the key in `Authorization: Bearer` or, as Anthropic's clients send it, `X-Api-Key`. */
  callerOf (headers: IncomingHttpHeaders): string | undefined {
    const bearer = /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? '')?.[1]
    const key = bearer ?? headers['x-api-key']
    if (typeof key !== 'string') return undefined
    return this.#nameOfHash.get(createHash('sha256').update(key).digest('hex'))
  }
}
