import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { openGrant } from '../policies/contract.js'
import type { Grant } from '../policies/contract.js'
import { clientAddress } from './client-address.js'
import type { Addressed } from './client-address.js'
import type { Config } from './config-schema.js'

/** Who asks: a key's name or a client address, and what it may ask for. */
export interface Caller {
  readonly name: string
  readonly grant: Grant
  /** It may use admin routes; everybody may where no keys are asked for, which is on loopback only. */
  readonly admin: boolean
}

interface Holder {
  readonly hash: Buffer
  readonly caller: Caller
}

/**
 * The callers' keys, kept as their hashes only.
 *
 * Hashing alone does not make the comparison safe: whoever tries keys knows their hashes, so a comparison that ends at the first
 * different byte tells by its time how far a hash agrees, and with a few bytes of a stored hash the keys worth trying can be chosen
 * offline. So each hash is compared in constant time, and with all of them: the time does not tell which entry it was either.
 */
export class Keys {
  readonly #holders: readonly Holder[]

  constructor (keys: Config['apiKeys']) {
    this.#holders = keys.map(key => ({ hash: Buffer.from(key.sha256, 'hex'), caller: { name: key.name, grant: grantOf(key), admin: key.admin } }))
  }

  /** False: no keys are configured, everybody may call. */
  get required (): boolean {
    return this.#holders.length > 0
  }

  /** Who asks, for records and policies: the holder of the key, or the address with the open grant where no key is needed. */
  callerOf (request: Addressed & { readonly headers: IncomingHttpHeaders }): Caller {
    return this.holderOf(request.headers) ?? { name: clientAddress(request), grant: openGrant, admin: !this.required }
  }

  /** Holder of the key in `Authorization: Bearer` or, as Anthropic's clients send it, `X-Api-Key`; undefined for every other key. */
  holderOf (headers: IncomingHttpHeaders): Caller | undefined {
    if (!this.required) return undefined
    const bearer = /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? '')?.[1]
    const key = bearer ?? headers['x-api-key']
    if (typeof key !== 'string') return undefined
    const hash = createHash('sha256').update(key).digest()
    let found: Caller | undefined
    for (const holder of this.#holders) if (timingSafeEqual(holder.hash, hash)) found = holder.caller
    return found
  }
}

function grantOf ({ weight, bestPriority, usualPriority, maxPlaces }: Config['apiKeys'][number]): Grant {
  return {
    weight,
    bestPriority,
    // As for everybody else, or the best class of the key where that is worse.
    usualPriority: usualPriority ?? Math.max(openGrant.usualPriority, bestPriority),
    ...(maxPlaces === undefined ? {} : { maxPlaces })
  }
}
