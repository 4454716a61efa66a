import { ENGLISH_WORDS } from './english-words.js'
import { madeUpStems } from './made-up-words.js'

/** Values of `tokenizer.ggml.token_type`. */
const NORMAL = 1
const UNKNOWN = 2
const CONTROL = 3
const BYTE = 6

export const BOS_ID = 1
export const EOS_ID = 2
export const UNKNOWN_ID = 0

/** SentencePiece's mark for the space before a word. */
const SPACE = '\u2581'
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

export interface Vocabulary {
  readonly pieces: readonly string[]
  readonly types: readonly number[]
  /** Which pairs of pieces are joined first: the higher, the earlier. */
  readonly scores: readonly number[]
  /**
   * May this id be written by the model? Only ` word` pieces: llama-server holds back bytes that are not yet a whole
   * character, trims lone spaces and may wait behind a `<`, and a load generator takes the first text that arrives as
   * the first token. The writer gives all other ids a zero row in the (tied) embedding: their logit is 0, far below that
   * of the likely words.
   */
  readonly speakable: readonly boolean[]
}

/**
 * The first `size` pieces of one list that all synthetic models share: specials, bytes, characters, letter pairs, English,
 * made-up words. Every prefix of a word piece is a piece too: whatever pairs the tokenizer joins first, what begins with the
 * space mark can always be joined with what follows, hence each of these words ends as one token.
 */
export function vocabulary (size: number): Vocabulary {
  const pieces: string[] = []
  const types: number[] = []
  const seen = new Set<string>()
  function add (piece: string, type = NORMAL): void {
    if (pieces.length === size || seen.has(piece)) return
    seen.add(piece)
    pieces.push(piece)
    types.push(type)
  }
  add('<unk>', UNKNOWN)
  for (const special of ['<s>', '</s>', '<|im_start|>', '<|im_end|>']) add(special, CONTROL)
  for (let byte = 0; byte < 256; byte++) add(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, BYTE)
  add(SPACE)
  for (let code = 0x21; code < 0x7F; code++) add(String.fromCharCode(code))
  for (const letter of LETTERS) add(SPACE + letter.toUpperCase())
  for (const a of LETTERS) for (const b of LETTERS) add(a + b)
  for (const word of ENGLISH_WORDS) for (const prefix of prefixes(word)) add(prefix)
  const baseSize = pieces.length
  for (const { stem, words } of madeUpStems()) {
    if (pieces.length === size) break
    for (const prefix of prefixes(stem)) add(prefix)
    for (const word of words) add(SPACE + word)
  }
  if (pieces.length < size || baseSize === size) {
    throw new RangeError(`vocabulary size ${size} cannot be made: more than ${baseSize} and at most ${pieces.length} pieces are possible`)
  }
  return {
    pieces,
    types,
    scores: types.map((type, id) => type === NORMAL ? -id : 0),
    speakable: pieces.map((piece, id) => types[id] === NORMAL && piece.length > 1 && piece.startsWith(SPACE))
  }
}

function prefixes (word: string): string[] {
  return Array.from({ length: word.length }, (_, i) => SPACE + word.slice(0, i + 1))
}
