import t from 'tap'
import { ENGLISH_WORDS } from './english-words.js'
import { sharedWords } from './made-up-words.js'
import { halfBits } from './quantisation.js'
import { vocabulary } from './vocabulary.js'

t.test('a vocabulary has the size that was asked, without doubles; a bigger one begins with a smaller one', async t => {
  const small = vocabulary(4096)
  for (const size of [4096, 151_936]) {
    const { pieces, types, scores, speakable } = vocabulary(size)
    t.same([pieces.length, new Set(pieces).size, types.length, scores.length, speakable.length], [size, size, size, size, size])
    t.equal(pieces.slice(0, 4096).join(' '), small.pieces.join(' '))
  }
  t.same(small.pieces.slice(0, 3), ['<unk>', '<s>', '</s>'])
  t.equal(small.types.filter(type => type === 6).length, 256, 'all bytes')
  t.throws(() => vocabulary(500), /vocabulary size 500 cannot be made/)
})

t.test('the model can write only whole words that begin with a space', async t => {
  const { pieces, speakable } = vocabulary(16_384)
  const written = pieces.filter((_, id) => speakable[id])
  t.ok(written.every(piece => /^\u2581[A-Za-z]+$/.test(piece)))
  t.ok(written.length > 15_000)
})

t.test('prompt words and English words are one token each, by the rule of llama.cpp', async t => {
  const { pieces, scores } = vocabulary(4096)
  const scoreOf = new Map(pieces.map((piece, id) => [piece, scores[id] ?? 0]))
  for (const word of [...sharedWords(), ...ENGLISH_WORDS]) {
    const tokens = tokenise('\u2581' + word, scoreOf)
    if (tokens.length !== 1) t.fail(`${word} is ${tokens.join('|')}`)
  }
  t.ok(sharedWords().length >= 1000)
  t.same(tokenise('\u2581xq', scoreOf).length > 1, true, 'what is no word is not')
})

t.test('half precision', async t => {
  t.same([0, 0.5, -0.5, 0.25, 2 ** -14, 2 ** -24, 1 - 2 ** -12].map(halfBits), [0, 0x3800, 0xB800, 0x3400, 0x0400, 1, 0x3C00])
})

/** Joins the neighbours with the highest score, leftmost first, until no pair is a piece (llm_tokenizer_spm). */
function tokenise (text: string, scoreOf: ReadonlyMap<string, number>): string[] {
  const parts = [...text]
  for (;;) {
    let best = -1
    let bestScore = -Infinity
    for (let i = 0; i + 1 < parts.length; i++) {
      const score = scoreOf.get(`${parts[i]}${parts[i + 1]}`)
      if (score !== undefined && score > bestScore) { best = i; bestScore = score }
    }
    if (best < 0) return parts
    parts.splice(best, 2, `${parts[best]}${parts[best + 1]}`)
  }
}
