import { isIP } from 'node:net'
import type { Config } from './config-schema.js'
import { UsageError } from './usage-error.js'

/**
 * What the schema of the configuration cannot say.
 * @throws UsageError whose message begins with the place
 */
export function checkRules (config: Config): void {
  for (const rule of rules) {
    const trouble = rule(config)
    if (trouble !== undefined) throw new UsageError(trouble)
  }
}

/** Each gives the trouble, or undefined. */
const rules: ReadonlyArray<(config: Config) => string | undefined> = [
  ({ listen, apiKeys }) => isLoopback(listen.host) || apiKeys.length > 0
    ? undefined
    : `listen.host: ${listen.host} can be reached from other machines, so apiKeys must have at least one entry {"name", "sha256"}; ` +
      'sha256 is what `printf %s KEY | sha256sum` prints. Or listen on 127.0.0.1',

  ({ listen }) => firstTrouble(listen.trustedProxies, (proxy, index) => isAddressOrRange(proxy)
    ? undefined
    : `listen.trustedProxies[${index}]: must be an IP address or a range like 10.0.0.0/8 or fd00::/8 (prefix 1 to 32, for IPv6 to 128), got ${JSON.stringify(proxy)}; names are not looked up`),

  ({ apiKeys }) => firstTrouble(apiKeys, ({ name, sha256, bestPriority, usualPriority }, index) => {
    const place = `apiKeys[${index}]`
    const sameName = apiKeys.findIndex(key => key.name === name)
    if (sameName < index) return `${place}.name: "${name}" is the name of apiKeys[${sameName}], too; records and limits go by the name, so give each key its own`
    const sameKey = apiKeys.findIndex(key => key.sha256 === sha256)
    if (sameKey < index) return `${place}.sha256: is the same key as apiKeys[${sameKey}] ("${apiKeys[sameKey]?.name}"); nobody could tell whose call it is, so give each entry its own key`
    if (usualPriority !== undefined && usualPriority < bestPriority) {
      return `${place}.usualPriority: must be >= bestPriority (${bestPriority}), got ${usualPriority}; 0 is the best class, and what a call gets unasked may not be better than what it may ask for`
    }
    return undefined
  }),

  ({ policies }) => firstTrouble(policies, ({ name }, index) => name === 'batching' && policies.slice(0, index).some(before => before.name === 'admission')
    ? `policies[${index}]: batching stands after admission, where every call has its places before it can go with others; put it right before admission`
    : undefined),

  ({ cors, allowRoutes, apiKeys }) => cors === undefined || allowRoutes.length === 0 || apiKeys.length > 0
    ? undefined
    : `allowRoutes: ${allowRoutes.join(', ')} with cors and without apiKeys lets pages that a browser shows act on this server's host; leave one of them out, or give apiKeys`,

  ({ policies }) => firstTrouble(policies, (policy, index) => policy.name === 'admission' && 'slotFiles' in policy && Reflect.get(policy, 'slotChoice') !== 'prefix'
    ? `policies[${index}].slotFiles: needs "slotChoice": "prefix", which knows what is in each slot; add it, or leave slotFiles out`
    : undefined),

  ({ cors }) => firstTrouble(cors === undefined || cors.origins === '*' ? [] : cors.origins, (origin, index) => isOrigin(origin)
    ? undefined
    : `cors.origins[${index}]: must be an origin as browsers send it, like https://chat.example.org or http://localhost:5173 (lower case, no path, no final /, no default port), got ${JSON.stringify(origin)}; ` +
      'for the pages of all origins write "origins": "*"')
]

function firstTrouble<T> (items: readonly T[], troubleOf: (item: T, index: number) => string | undefined): string | undefined {
  for (const [index, item] of items.entries()) {
    const trouble = troubleOf(item, index)
    if (trouble !== undefined) return trouble
  }
  return undefined
}

function isLoopback (host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host)
}

/** Prefix 0 is everybody: whoever means that would let every client choose its own name. */
function isAddressOrRange (text: string): boolean {
  const [, address = '', prefix = '1'] = /^([^/%]*)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const version = isIP(address)
  return version !== 0 && Number(prefix) >= 1 && Number(prefix) <= (version === 4 ? 32 : 128)
}

/** Origins are compared letter by letter with what the browser sends (RFC 6454, 6.2); other schemes than http have no canonical form. */
function isOrigin (text: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#\s*]+$/.test(text) || !URL.canParse(text)) return false
  return !/^https?:/.test(text) || new URL(text).origin === text
}
