const NEWLINE = 10
const BLANK = 32
const TAB = 9
const COLON = 58
const ZERO = 48

/** The whole number at `at`, blanks before it skipped; NaN when there is none. Exact up to 2^53. */
export function numberAt (text: string, at: number): number {
  let index = afterBlanks(text, at)
  const from = index
  let value = 0
  for (let digit = text.charCodeAt(index) - ZERO; digit >= 0 && digit <= 9; digit = text.charCodeAt(++index) - ZERO) value = value * 10 + digit
  return index === from ? NaN : value
}

/** The whole number after the first `label` (from `from` on); undefined when there is no such label, or no number after it. */
export function numberAfter (text: string, label: string, from = 0): number | undefined {
  const at = text.indexOf(label, from)
  if (at === -1) return undefined
  const value = numberAt(text, at + label.length)
  return Number.isNaN(value) ? undefined : value
}

/** The `count` whole numbers from `at` on, one blank or more between them; NaN where there is none. */
export function numbersAt (text: string, at: number, count: number): number[] {
  const values: number[] = []
  let index = at
  for (let n = 0; n < count; n++) {
    values.push(numberAt(text, index))
    index = afterBlanks(text, index)
    while (index < text.length && !isBlank(text.charCodeAt(index))) index++
  }
  return values
}

/**
 * `name value` lines, with or without a colon, whose value is a whole number and all there is; other lines are left out.
 * Scans, because the sampler reads such texts ten times a second.
 */
export function eachKeyed (text: string, visit: (name: string, value: number) => void): void {
  for (let from = 0; from < text.length;) {
    const newline = text.indexOf('\n', from)
    const end = newline === -1 ? text.length : newline
    visitLine(text, afterBlanks(text, from), end, visit)
    from = end + 1
  }
}

export function parseKeyed (text: string): Map<string, number> {
  const values = new Map<string, number>()
  eachKeyed(text, (name, value) => values.set(name, value))
  return values
}

function visitLine (text: string, from: number, end: number, visit: (name: string, value: number) => void): void {
  let nameEnd = from
  while (nameEnd < end && !isBlank(text.charCodeAt(nameEnd))) nameEnd++
  const first = afterBlanks(text, nameEnd)
  let index = first
  let value = 0
  for (let digit = text.charCodeAt(index) - ZERO; digit >= 0 && digit <= 9; digit = text.charCodeAt(++index) - ZERO) value = value * 10 + digit
  if (nameEnd === end || index === first || afterBlanks(text, index) < end) return
  visit(text.slice(from, text.charCodeAt(nameEnd - 1) === COLON ? nameEnd - 1 : nameEnd), value)
}

function afterBlanks (text: string, at: number): number {
  let index = at
  while (text.charCodeAt(index) === BLANK || text.charCodeAt(index) === TAB) index++
  return index
}

function isBlank (code: number): boolean {
  return code === BLANK || code === TAB || code === NEWLINE
}
