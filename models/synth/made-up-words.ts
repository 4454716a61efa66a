import { seededRandom } from './random.js'

/**
 * Made-up words such as `nabiko`, in one fixed order that all synthetic vocabularies share.
 */

const CONSONANTS = 'bdfghjklmnprstvz'
const VOWELS = 'aeiou'
/** Stems whose words are in every synthetic vocabulary, the smallest included. */
const SHARED_STEMS = 300
const WORD_LIST_SEED = 0x3E1A

/** `nab` stands for the words naba, nabe, nabi, nabo, nabu. */
export interface Stem { readonly stem: string, readonly words: readonly string[] }

/** Endless in practice: 1,280 stems of two-syllable words in a fixed random order, then 102,400 of three syllables. */
export function * madeUpStems (): Generator<Stem> {
  const short: string[] = []
  for (const syllable of syllables()) for (const c of CONSONANTS) short.push(syllable + c)
  shuffle(short, WORD_LIST_SEED)
  for (const stem of short) yield withWords(stem)
  const long: string[] = []
  for (const stem of short) for (const v of VOWELS) for (const c of CONSONANTS) long.push(stem + v + c)
  shuffle(long, WORD_LIST_SEED + 1)
  for (const stem of long) yield withWords(stem)
}

let shared: readonly string[] | undefined

/** The words that are one token in every synthetic model. */
export function sharedWords (): readonly string[] {
  if (shared === undefined) {
    const words: string[] = []
    let stems = 0
    for (const { words: more } of madeUpStems()) {
      words.push(...more)
      if (++stems === SHARED_STEMS) break
    }
    shared = words
  }
  return shared
}

function syllables (): string[] {
  return [...CONSONANTS].flatMap(c => [...VOWELS].map(v => c + v))
}

function withWords (stem: string): Stem {
  return { stem, words: [...VOWELS].map(v => stem + v) }
}

function shuffle (list: string[], seed: number): void {
  const random = seededRandom(seed)
  for (let i = list.length - 1; i > 0; i--) {
    const j = random() % (i + 1)
    const swapped = list[i] ?? ''
    list[i] = list[j] ?? ''
    list[j] = swapped
  }
}
