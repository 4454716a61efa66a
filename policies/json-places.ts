/** Where a value stands in a text; `to` is behind its last character. */
export interface Place {
  readonly from: number
  readonly to: number
}

const QUOTE = 0x22
const COMMA = 0x2c
const OPENING = new Set([0x5b, 0x7b])
const CLOSING = new Set([0x5d, 0x7d])

/** The parts of the array or object that begins at `at`, of an object each with its name; of a text that is JSON. */
export function partsAt (text: string, at: number): Place[] {
  const parts: Place[] = []
  let from = at + 1
  for (;;) {
    const to = partEnd(text, from)
    if (text.slice(from, to).trim() !== '') parts.push({ from, to })
    if (text.charCodeAt(to) !== COMMA) return parts
    from = to + 1
  }
}

/** Fields of the object that is the whole text, by name. */
export function fieldsOf (text: string): Map<string, Place> {
  return new Map(partsAt(text, text.indexOf('{')).map(({ from, to }) => {
    const begin = text.indexOf('"', from)
    const end = stringEnd(text, begin)
    const value = text.indexOf(':', end) + 1
    return [text.slice(begin + 1, end), { from: value + leadingSpace(text, value, to), to }]
  }))
}

function leadingSpace (text: string, from: number, to: number): number {
  const part = text.slice(from, Math.min(to, from + 16))
  return part.length - part.trimStart().length
}

/** Of the comma or bracket behind a part. */
function partEnd (text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = stringEnd(text, at)
    else if (OPENING.has(code)) depth++
    else if (CLOSING.has(code) && depth-- === 0) return at
    else if (code === COMMA && depth === 0) return at
  }
  return text.length
}

/** Of the closing quotation mark. */
function stringEnd (text: string, begin: number): number {
  for (let at = begin + 1; at < text.length; at++) {
    const char = text[at]
    if (char === '\\') at++
    else if (char === '"') return at
  }
  return text.length
}
