/** Where a value stands in a text; `to` is behind its last character. */
export interface Place {
  readonly from: number
  readonly to: number
}

const COMMA = 0x2c
/** What ends a part, or begins or ends something inside it. Searched for by the engine's own scanner: vectors are long, and a look at each of their characters is many times slower. */
const MARKS = /["[\]{},]/g
/** The same inside of a part, where commas end nothing. */
const INNER_MARKS = /["[\]{}]/g
const STRING_MARKS = /[\\"]/g

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
  let at = nextOf(MARKS, text, from)
  while (at < text.length) {
    switch (text[at]) {
      case '"': at = stringEnd(text, at); break
      case '[': case '{': depth++; break
      case ',': return at
      default: if (depth-- === 0) return at
    }
    at = nextOf(depth === 0 ? MARKS : INNER_MARKS, text, at + 1)
  }
  return text.length
}

/** Of the closing quotation mark. */
function stringEnd (text: string, begin: number): number {
  let at = nextOf(STRING_MARKS, text, begin + 1)
  while (text[at] === '\\') at = nextOf(STRING_MARKS, text, at + 2)
  return at
}

/** Where the next of these characters stands, from `from` on; the length of the text where there is none. */
function nextOf (marks: RegExp, text: string, from: number): number {
  marks.lastIndex = from
  return marks.test(text) ? marks.lastIndex - 1 : text.length
}
