import t from 'tap'
import { LongPrefills, type ChunkEffect } from './long-prefills.js'
import type { Company } from './prefill-turn.js'

const options = { chunkMs: 400, share: 0.5, maxPauseMs: 1_000 }
const alone: Company = { others: 0, prefillsUntilMs: -Infinity }
const decoding: Company = { others: 1, prefillsUntilMs: -Infinity }

/** As a rule 5 ms a token: chunks of 64. */
const GUESS = 6

type Chunk = Pick<ChunkEffect, 'id' | 'toTokens' | 'last'>

function chunk (id: string, toTokens: number, last = false): Chunk {
  return { id, toTokens, last }
}

t.test('alone, a prompt goes chunk after chunk, and a short rest with the last one', async t => {
  const long = new LongPrefills(options)
  long.start('a', 208, 0, 0)
  t.match(long.next(alone, GUESS, 0), chunk('a', 64))
  t.equal(long.next(alone, GUESS, 100), undefined, 'one at a time')
  long.chunkOver('a', 64, 384, 384)
  t.match(long.next(alone, GUESS, 384), chunk('a', 128))
  long.chunkOver('a', 64, 384, 768)
  t.equal(long.leftTokens, 80)
  t.match(long.next(alone, GUESS, 768), chunk('a', 208, true), '80 tokens are one chunk and a short rest')
  long.end('a', 1_200, 'first-byte')
  t.notOk(long.has('a'))
  t.equal(long.size, 0)
})

t.test('beside others each chunk waits its time, and says when to look again', async t => {
  const long = new LongPrefills(options)
  long.start('a', 300, 0, 0)
  t.match(long.next(decoding, GUESS, 0), chunk('a', 64), 'no chunk went before it')
  t.equal(long.wakeAtMs, Infinity)
  long.chunkOver('a', 64, 384, 400)
  t.equal(long.next(decoding, GUESS, 400), undefined)
  t.equal(long.wakeAtMs, 800, 'as long as the chunk took')
  t.equal(long.next({ others: 1, prefillsUntilMs: 950 }, GUESS, 800), undefined)
  t.equal(long.wakeAtMs, 950)
  t.match(long.next({ others: 1, prefillsUntilMs: 950 }, GUESS, 950), { ...chunk('a', 128), pausedMs: 550 })
})

t.test('the pause is that of upstream, whoever had the chunk before it', async t => {
  const long = new LongPrefills(options)
  long.start('a', 80, 0, 0)
  t.match(long.next(decoding, GUESS, 0), chunk('a', 80, true))
  long.end('a', 500, 'first-byte')
  long.start('b', 300, 0, 510)
  t.equal(long.next(decoding, GUESS, 510), undefined)
  t.equal(long.wakeAtMs, 1_000)
})

t.test('who holds places: one, and who is shorter than the rest of all under way; a place is left to the short', async t => {
  const long = new LongPrefills(options)
  t.ok(long.mayStart(1_500, 4))
  long.start('a', 1_500, 0, 0)
  t.notOk(long.mayStart(1_500, 4))
  t.ok(long.mayStart(200, 4))
  t.notOk(long.mayStart(200, 2), 'of two places one is for short calls')
  long.start('b', 200, 0, 0)
  t.notOk(long.mayStart(300, 4))
  t.ok(long.mayStart(100, 4))
  t.match(long.next(decoding, GUESS, 10), chunk('b', 64), 'the shorter one goes first')
  long.chunkOver('b', 64, 384, 400)
  t.match(long.next(decoding, GUESS, 1_000), chunk('a', 64), 'nobody starves: who stood still for the longest pause goes')
  long.chunkOver('a', 64, 384, 1_400)
  t.match(long.next(decoding, GUESS, 1_900), chunk('b', 128))
})

t.test('what the slot holds already is no part of the first chunk', async t => {
  const long = new LongPrefills(options)
  long.start('a', 1_500, 1_300, 0)
  t.match(long.next(alone, GUESS, 0), chunk('a', 1_364))
  long.end('a', 400, 'other')
  long.start('b', 1_500, 1_450, 400)
  t.match(long.next(alone, GUESS, 400), chunk('b', 1_500, true), 'a conversation that goes on: its call goes at once')
})

t.test('a last chunk whose end nobody tells does not keep the next prompt waiting for ever', async t => {
  const long = new LongPrefills(options)
  long.start('a', 80, 0, 0)
  long.next(alone, GUESS, 0)
  long.start('b', 40, 0, 10)
  t.equal(long.next(alone, GUESS, 20), undefined)
  t.equal(long.wakeAtMs, 720, 'one and a half times 80 tokens at 6 ms')
  long.expire(GUESS, 719)
  t.notOk(long.mayStart(40, 2))
  long.expire(GUESS, 720)
  t.notOk(long.has('a'))
  t.match(long.next(alone, GUESS, 720), chunk('b', 40, true))
})

t.test('chunks follow the speed that they find; the stretch is what standing still made of it', async t => {
  const long = new LongPrefills(options)
  t.equal(long.stretch, 2, 'before the first call: what the share says')
  t.ok(long.isLong(97, GUESS))
  t.notOk(long.isLong(96, GUESS))
  for (let i = 0; i < 3; i++) {
    const atMs = i * 10_000
    long.start('a', 80, 0, atMs)
    long.next(alone, GUESS, atMs + 100)
    long.chunkOver('a', 64, 128, atMs + 200)
    long.next(alone, GUESS, atMs + 200)
    long.end('a', atMs + 300, 'first-byte')
  }
  t.equal(long.chunkTokens(GUESS), 128, 'at 2 ms a token 200, but at most twice the largest so far')
  t.ok(Math.abs(long.stretch - 1.5) < 0.05, `300 ms, of which it stood still for 100: ${long.stretch}`)
})
