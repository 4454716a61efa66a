import { UsageError } from '../usage-error.js'
import type { WorkloadClass } from '../types.js'

/** A class of `--mix`. */
export type PlainClass = Pick<WorkloadClass, 'name' | 'share'> & { readonly promptWords: number, readonly maxTokens: number }

/** One fixed length: about 32 tokens in, 16 out, so that a small CPU still answers a few hundred calls in a few minutes. */
export const defaultClasses: readonly PlainClass[] = [{ name: 'default', promptWords: 32, maxTokens: 16, share: 1 }]

/**
 * Reads `--mix NAME:WORDS/TOKENS:SHARE[,…]`, e.g. `short:32/16:0.8,long:300/16:0.2`.
 * Bounds: 1 ≤ words ≤ 4096, 1 ≤ tokens ≤ 4096; shares are positive and are scaled to sum to 1.
 */
export function parseMix (text: string): readonly PlainClass[] {
  const classes = text.split(',').map((part, index) => {
    const match = /^([a-z][a-z0-9-]*):(\d+)\/(\d+):(\d*\.?\d+)$/.exec(part.trim())
    if (match === null) {
      throw new UsageError(`--mix part ${index + 1}: ${JSON.stringify(part)} is not NAME:WORDS/TOKENS:SHARE; for example short:32/16:0.8`)
    }
    const [, name = '', words, tokens, share] = match
    const cls = { name, promptWords: Number(words), maxTokens: Number(tokens), share: Number(share) }
    for (const [what, value] of [['words', cls.promptWords], ['tokens', cls.maxTokens]] as const) {
      if (value < 1 || value > 4096) throw new UsageError(`--mix part ${index + 1} (${name}): ${what} is ${value}; allowed are 1 to 4096`)
    }
    if (cls.share <= 0) throw new UsageError(`--mix part ${index + 1} (${name}): the share is ${cls.share}; it must be above 0`)
    return cls
  })
  const names = new Set(classes.map(c => c.name))
  if (names.size < classes.length) throw new UsageError(`--mix names a class twice: ${classes.map(c => c.name).join(', ')}; give each a name of its own`)
  const sum = classes.reduce((total, c) => total + c.share, 0)
  return classes.map(c => ({ ...c, share: c.share / sum }))
}

/** `4x` = that multiple of the calibrated capacity, `6.5` = requests per second. Bounds: above 0; at most 100x or 10,000 per second. */
export type Rate = { readonly timesCapacity: number } | { readonly perSecond: number }

/** @param where it was typed, for the error */
export function parseRate (text: string, where = '--rate'): Rate {
  const match = /^(\d*\.?\d+)(x?)$/.exec(text.trim())
  const value = Number(match?.[1])
  const relative = match?.[2] === 'x'
  if (match === null || value <= 0 || value > (relative ? 100 : 10_000)) {
    throw new UsageError(`${where}: ${JSON.stringify(text)} is not a rate; give a multiple of the capacity such as 2x (up to 100x) or requests per second such as 6.5 (up to 10000)`)
  }
  return relative ? { timesCapacity: value } : { perSecond: value }
}
