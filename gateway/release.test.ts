import t from 'tap'
import type { Clock } from '../policies/contract.js'
import { Releases } from './release.js'
import type { LoadReading } from './release.js'

/** Readings and time by hand. */
function byHand () {
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
  const releases = new Releases({ clock, reader, fallbackMs: 1000, log: { info () {}, warn () {} } })
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
  releases.start(1)
  const leaver = releases.start(1)
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

t.test('a call sent just before the reading does not free the place of another', async t => {
  const hand = byHand()
  const leaver = hand.releases.start(1)
  await hand.pass(500)
  hand.abandon('leaver', leaver)
  hand.releases.start(1)
  await hand.reading(1)
  t.same(hand.freed, [], 'the one that is processed may be the leaver')
  await hand.pass(500)
  await hand.reading(1)
  t.same(hand.freed, ['leaver'])
})

t.test('of several broken-off calls the oldest are freed first, as many as the reading allows', async t => {
  const hand = byHand()
  const [first, second] = [hand.releases.start(1), hand.releases.start(1)]
  hand.abandon('first', first)
  hand.abandon('second', second)
  await hand.reading(1)
  t.same(hand.freed, ['first'])
  await hand.reading(0)
  t.same(hand.freed, ['first', 'second'])
})

t.test('a server that is gone holds nothing; one that cannot be read is believed after the time limit', async t => {
  const gone = byHand()
  gone.abandon('a', gone.releases.start(2))
  await gone.answer('gone')
  t.same(gone.freed, ['a'])
  const mute = byHand()
  mute.abandon('b', mute.releases.start(1))
  await mute.answer('no answer')
  t.same(mute.freed, [], 'asked again')
  await mute.answer(new Error('no /metrics'))
  await mute.pass(999)
  t.same(mute.freed, [])
  await mute.pass(1)
  t.same(mute.freed, ['b'])
  t.equal(mute.releases.zombiePlaces, 0)
})
