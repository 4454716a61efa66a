/** What a caller says of stored answers, in `Cache-Control` (RFC 9111, 5.2.1). */
export interface Freshness {
  /** It wants no answer that was stored or made for somebody else. */
  readonly fresh: boolean
  /** Its answer is not to be kept either. */
  readonly noStore: boolean
  /** Oldest answer that it takes, milliseconds; Infinity where it sets no bound. */
  readonly maxAgeMs: number
}

export function freshnessOf (header: string | undefined): Freshness {
  const directives = (header ?? '').toLowerCase().split(',').map(part => part.trim())
  const noStore = directives.includes('no-store')
  const seconds = directives.map(part => /^max-age="?(\d+)"?$/.exec(part)?.[1]).find(value => value !== undefined)
  const maxAgeMs = seconds === undefined ? Infinity : Number(seconds) * 1e3
  return { fresh: noStore || directives.includes('no-cache') || maxAgeMs === 0, noStore, maxAgeMs }
}
