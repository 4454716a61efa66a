import { isUtf8 } from 'node:buffer'

/** Fields that llama-server does not read: who asks is in the key anyway. Everything else is kept, known or not. */
const UNREAD = new Set(['"user"', '"metadata"'])

/**
 * Fields whose value is a float to llama-server however it is written: 0, 0.0 and 0e0 are one. Nowhere else, since there the form matters: a token id 1.0 is refused,
 * and a constant 1.0 in a schema is written so in the answer.
 */
const FLOATS = new Set([
  'temperature', 'top_p', 'min_p', 'typical_p', 'top_n_sigma', 'xtc_probability', 'xtc_threshold', 'dynatemp_range', 'dynatemp_exponent', 'repeat_penalty',
  'presence_penalty', 'frequency_penalty', 'dry_multiplier', 'dry_base', 'mirostat_tau', 'mirostat_eta'
].map(name => `"${name}"`))

/**
 * One text for all ways to write the same JSON object, from the bytes that go upstream and never from parsed values: those have lost digits of large integers, the order
 * of fields with whole numbers as names, and what was not valid text. Two bodies have one text only if llama-server reads the same from them:
 * - white space and escapes in strings do not count (composed and decomposed letters do);
 * - the order of the outermost fields does not count, of deeper ones it does: a schema's order is the order of the answer, and templates print tools as they stand;
 * - numbers count as they are written, but for the fields that are floats; -0 is not 0;
 * - of two outermost fields with one name the last counts, as in llama-server.
 * @param bytes have been parsed as a JSON object
 * @returns undefined when the bytes are not UTF-8: llama-server refuses them, where a parser may have put something in their place
 */
export function canonicalBody (bytes: Buffer): string | undefined {
  if (!isUtf8(bytes)) return undefined
  const fields = new Map<string, string>()
  const reader = new Reader(bytes.toString('utf8'))
  reader.skip('{')
  while (!reader.skip('}')) {
    const name = reader.value()
    reader.skip(':')
    const value = reader.value()
    if (!UNREAD.has(name)) fields.set(name, FLOATS.has(name) ? canonicalNumber(value) : value)
    reader.skip(',')
  }
  return `{${[...fields].sort(([a], [b]) => a < b ? -1 : 1).map(([name, value]) => `${name}:${value}`).join(',')}}`
}

/** Goes through JSON text that is known to be right, without recursion: clients may nest as deep as they like. */
class Reader {
  readonly #text: string
  #at = 0

  constructor (text: string) {
    this.#text = text
  }

  /** Passes over this character after white space; false where another one stands. */
  skip (char: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#at] !== char) return false
    this.#at++
    return true
  }

  /** The next whole value without its white space, strings in one form. */
  value (): string {
    const parts: string[] = []
    let depth = 0
    do {
      this.#skipSpace()
      const char = this.#text[this.#at] ?? ''
      if (char === '"') {
        parts.push(this.#string())
      } else if (/[[\]{}:,]/.test(char)) {
        if (char === '{' || char === '[') depth++
        else if (char === '}' || char === ']') depth--
        parts.push(char)
        this.#at++
      } else {
        parts.push(this.#scalar())
      }
    } while (depth > 0 && this.#at < this.#text.length)
    return parts.join('')
  }

  #skipSpace (): void {
    while (this.#at < this.#text.length && ' \t\n\r'.includes(this.#text[this.#at] ?? '')) this.#at++
  }

  #string (): string {
    let end = this.#at
    do end = this.#text.indexOf('"', end + 1)
    while (end > 0 && this.#isEscaped(end))
    const written = this.#text.slice(this.#at, end + 1)
    this.#at = end + 1
    return written.includes('\\') ? JSON.stringify(JSON.parse(written)) : written
  }

  /** An odd number of backslashes stands before it. */
  #isEscaped (at: number): boolean {
    let before = at
    while (this.#text[before - 1] === '\\') before--
    return (at - before) % 2 === 1
  }

  #scalar (): string {
    scalar.lastIndex = this.#at
    const found = scalar.exec(this.#text)?.[0] ?? ''
    if (found === '') throw new SyntaxError(`at ${this.#at} of the body: no JSON value`)
    this.#at += found.length
    return found
  }
}

const scalar = /[^\s[\]{}:,"]+/y

/** The same decimal number in one form, by its digits; what is no number stays as it is. */
export function canonicalNumber (written: string): string {
  const found = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,6}))?$/.exec(written)
  if (found === null) return written
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = found
  const digits = (whole + fraction).replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  return significant === '' ? `${sign}0` : `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`
}
