/** Text for a terminal of a fixed number of columns. */
import { NBSP } from './format.js'

const WIDE = /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}]|\p{Emoji_Presentation}/u

/** White space becomes one space, and everything a terminal could obey (escape, bidi and other control characters) a `�`. */
export function sanitise (text: string): string {
  return text.replace(/[\t\n\v\f\r ]+/g, ' ').replace(/\p{C}/gu, '\uFFFD')
}

function columnsOfCharacter (character: string): number {
  if (/\p{M}/u.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}

/** Columns that the text takes: wide East Asian characters and emoji two, combining marks none. */
export function columns (text: string): number {
  let sum = 0
  for (const character of text) sum += columnsOfCharacter(character)
  return sum
}

export function padEnd (text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - columns(text)))
}

export function padStart (text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - columns(text))) + text
}

function breakWord (word: string, width: number): string[] {
  const pieces: string[] = []
  let piece = ''
  let used = 0
  for (const character of word) {
    const size = columnsOfCharacter(character)
    if (used + size > width) {
      pieces.push(piece)
      piece = ''
      used = 0
    }
    piece += character
    used += size
  }
  pieces.push(piece)
  return pieces
}

/**
 * Lines of at most `width` columns, the first after `first`, the others after as many spaces. Breaks at spaces, not at
 * no-break spaces (which come out as spaces), and inside a word only when it is longer than a line.
 */
export function wrap (text: string, width: number, first = ''): string[] {
  const indent = columns(first)
  const room = Math.max(8, width - indent)
  const lines: string[] = []
  let line = ''
  for (const word of sanitise(text).split(' ').flatMap((each) => breakWord(each, room))) {
    if (line !== '' && columns(line) + 1 + columns(word) > room) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  lines.push(line)
  return lines.map((each, index) => ((index === 0 ? first : ' '.repeat(indent)) + each).replaceAll(NBSP, ' ').trimEnd())
}

/** Cut to `width` columns, with `…` when something was lost. */
export function cut (text: string, width: number): string {
  const clean = sanitise(text).replaceAll(NBSP, ' ')
  if (columns(clean) <= width) return clean
  return `${breakWord(clean, width - 1)[0] ?? ''}…`
}

const SGR = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const
export type Ink = keyof typeof SGR
export type Paint = (ink: Ink, text: string) => string

export function painter (colour: boolean): Paint {
  return (ink, text) => colour && text !== '' ? `\u001b[${SGR[ink]}m${text}\u001b[0m` : text
}
