import t from 'tap'
import type { Clock } from '../policies/contract.js'
import { Releases } from './release.js'
import type { LoadReading } from './release.js'

/** Readings and time by hand. */
function byHand (firstLookMs = 0) {
  let nowMs = 0
  const timers = new Map<number, { fn: () => void, atMs: number }>()
  const clock: Clock = {
    nowMs: () => nowMs,
    setTimeout (fn, delayMs) {
      timers.set(timers.size + 1, { fn, atMs: nowMs + delayMs })
      return timers.size
    },
    clearTimeout (handle) { timers.delete(Number(handle)) }
  }
  const asked: Array<(reading: LoadReading | 'gone' | 'no answer' | Error) => void> = []
  const reader = {
    readLoad: () => new Promise<LoadReading | 'gone' | 'no answer'>((resolve, reject) => {
      asked.push(reading => { if (reading instanceof Error) reject(reading); else resolve(reading) })
    })
  }
  const freed: string[] = []
  const releases = new Releases({ clock, reader, firstLookMs, fallbackMs: 1000, log: { info () {}, warn () {} } })
  return {
    releases,
    freed,
    abandon (name: string, holding: ReturnType<Releases['start']>) { releases.abandon(holding).then(() => { freed.push(name) }) },
    async reading (processing: number, deferred = 0) { await this.answer({ processing, deferred, atMs: nowMs, askedAtMs: nowMs }) },
    async answer (reading: LoadReading | 'gone' | 'no answer' | Error) {
      asked.shift()?.(reading)
      await new Promise(resolve => { setImmediate(resolve) })
    },
    async pass (ms: number) {
      nowMs += ms
      for (const [id, { fn, atMs }] of timers) {
        if (atMs > nowMs) continue
        timers.delete(id)
        fn()
      }
      await new Promise(resolve => { setImmediate(resolve) })
    }
  }
}

t.test('a broken-off call keeps its place until llama-server processes no more than our running calls', async t => {
  const hand = byHand()
  const { releases, freed } = hand
  releases.start(1, false)
  const leaver = releases.start(1, false)
  await hand.pass(500)
  hand.abandon('leaver', leaver)
  await hand.pass(1)
  await hand.reading(2)
  t.same(freed, [])
  t.equal(releases.zombiePlaces, 1)
  await hand.reading(1, 1)
  t.same(freed, [], 'something waits in the hidden queue: it may be ours')
  await hand.reading(1)
  t.same(freed, ['leaver'])
  t.equal(releases.running, 1)
  t.ok(releases.wastedSeconds > 0)
})

t.test('what is wasted lasts until halfway between the last reading that saw a call at work and the first that did not', async t => {
  const hand = byHand()
  const leaver = hand.releases.start(2, false)
  await hand.pass(100)
  hand.abandon('leaver', leaver)
  await hand.pass(300)
  await hand.reading(2)
  await hand.pass(200)
  await hand.reading(0)
  t.same(hand.freed, ['leaver'])
  t.equal(hand.releases.wastedSeconds, 0.8, 'two places for (300 + 500) ÷ 2 ms')
})

t.test('a call sent just before the reading does not free the place of another', async t => {
  const hand = byHand()
  const leaver = hand.releases.start(1, false)
  await hand.pass(500)
  hand.abandon('leaver', leaver)
  hand.releases.start(1, false)
  await hand.reading(1)
  t.same(hand.freed, [], 'the one that is processed may be the leaver')
  await hand.pass(500)
  await hand.reading(1)
  t.same(hand.freed, ['leaver'])
})

t.test('a stream whose slot has not started is not in a reading, however long ago it was sent: it waits for the end of a batch', async t => {
  const hand = byHand()
  const leaver = hand.releases.start(1, true)
  hand.abandon('leaver', leaver)
  const stream = hand.releases.start(1, true)
  await hand.pass(700)
  await hand.reading(1)
  t.same(hand.freed, [], 'the one that is processed is the leaver')
  stream.startedAtMs = 705
  await hand.pass(10)
  await hand.reading(1)
  t.same(hand.freed, [], 'it started just now: the reading may be older')
  await hand.pass(50)
  await hand.reading(1)
  t.same(hand.freed, ['leaver'])
})

t.test('the first look comes when llama-server may have noticed', async t => {
  const hand = byHand(500)
  hand.abandon('leaver', hand.releases.start(1, true))
  await hand.reading(0)
  t.same(hand.freed, [], 'nothing was asked yet')
  await hand.pass(500)
  await hand.reading(0)
  t.same(hand.freed, ['leaver'])
  t.equal(hand.releases.wastedSeconds, 0.25)
})

t.test('of several broken-off calls the oldest are freed first, as many as the reading allows', async t => {
  const hand = byHand()
  const [first, second] = [hand.releases.start(1, false), hand.releases.start(1, false)]
  hand.abandon('first', first)
  hand.abandon('second', second)
  await hand.reading(1)
  t.same(hand.freed, ['first'])
  await hand.reading(0)
  t.same(hand.freed, ['first', 'second'])
})

t.test('a server that is gone holds nothing; one that cannot be read is believed after the time limit', async t => {
  const gone = byHand()
  gone.abandon('a', gone.releases.start(2, false))
  await gone.answer('gone')
  t.same(gone.freed, ['a'])
  const mute = byHand()
  mute.abandon('b', mute.releases.start(1, false))
  await mute.answer('no answer')
  t.same(mute.freed, [], 'asked again')
  await mute.answer(new Error('no /metrics'))
  await mute.pass(999)
  t.same(mute.freed, [])
  await mute.pass(1)
  t.same(mute.freed, ['b'])
  t.equal(mute.releases.zombiePlaces, 0)
})
