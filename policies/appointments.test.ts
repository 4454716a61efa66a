import t from 'tap'
import { Appointments, type Appointment } from './appointments.js'

const who = (identity: string, given: Partial<Appointment> = {}): Omit<Appointment, 'dueAtMs'> => ({ identity, caller: 'c', priority: 1, costMs: 200, spareMs: 1000, ...given })
const ALL = (): boolean => true

/** Times that so many are given, seconds from now. */
function booked (calls: number, { loadMs = 0, maxMs = 120_000, ...given }: Partial<Appointment> & { readonly loadMs?: number, readonly maxMs?: number } = {}): Array<number | undefined> {
  const appointments = new Appointments()
  return Array.from({ length: calls }, (_, i) => {
    const inMs = appointments.book(who(String(i), given), loadMs, 0, maxMs)
    return inMs === undefined ? undefined : inMs / 1000
  })
}

t.test('each gets the first whole second in which a part of the server is left', async t => {
  t.same(booked(3), [1, 1, 2], 'a quarter of what they can wait: of two calls at a time the second waits 200 ms, a third would wait 400')
  const times = booked(60, { spareMs: 4_000 }).flatMap(seconds => seconds ?? [])
  t.same([...times].sort((a, b) => a - b), times, 'later ones later')
  t.ok(60 * 0.2 / 0.85 <= (times.at(-1) ?? 0) + 1 && (times.at(-1) ?? 0) <= 60 * 0.2 / 0.85 * 1.15, `12 s of work in ${times.at(-1)} s: 85 % of the time and hardly less`)
})

t.test('what is in front counts', async t => {
  t.same(booked(1, { loadMs: 5_000 }), [6], '5 s of it are 5.6 s after 0.85 of the time, and a quarter of a second may be waited')
  t.same(booked(1, { loadMs: 5_000, spareMs: 4_000 }), [5])
})

t.test('nobody is given a time later than the longest', async t => {
  const times = booked(30, { maxMs: 4_000 })
  t.equal(Math.max(...times.flatMap(seconds => seconds ?? [])), 4)
  t.ok(times.filter(seconds => seconds === undefined).length > 10, 'and has no appointment then')
})

t.test('a short call goes into a gap only where nobody behind it would wait for too long', async t => {
  const appointments = new Appointments()
  appointments.book(who('long', { costMs: 1_500 }), 0, 0, 120_000)
  appointments.book(who('next', { costMs: 1_500 }), 0, 0, 120_000)
  const [first, second] = ['long', 'next'].map(identity => (appointments.find(identity)?.dueAtMs ?? NaN) / 1000)
  t.same([first, second], [1, 3])
  t.equal(appointments.book(who('short', { costMs: 100 }), 0, 0, 120_000), 5_000, 'before, it would wait for too long itself')
  t.equal(appointments.book(who('patient', { costMs: 800, spareMs: 100_000 }), 0, 0, 120_000), 5_000, 'before, it would be in the way of those behind')
  t.equal(appointments.book(who('small', { costMs: 150, spareMs: 100_000 }), 0, 0, 120_000), 1_000, 'the gap is large enough for it')
})

t.test('newcomers may take half of what those who are expected can wait', async t => {
  const appointments = new Appointments()
  t.equal(appointments.wouldBreak(1e6, 0, ALL), false, 'nobody is expected')
  appointments.book(who('a'), 0, 0, 120_000)
  t.equal(appointments.wouldBreak(1e6, 0, ALL), false, 'nothing is kept for clients of whom nobody knows whether they come back')
  for (let i = 0; i < 200; i++) {
    appointments.book(who(String(i)), 0, 0, 120_000)
    const kept = appointments.find(String(i))
    if (kept !== undefined) appointments.strike(kept, kept.dueAtMs)
  }
  t.equal(appointments.wouldBreak(1_499, 0, ALL), false, 'a second passes until it comes')
  t.equal(appointments.wouldBreak(1_520, 0, ALL), true)
  t.equal(appointments.wouldBreak(1_520, 0, ({ identity }) => identity !== 'a'), false, 'not one to stand back for')
  t.equal(appointments.wouldBreak(520, 2_500, ALL), true, 'it is late and may still come')
  appointments.advance(3_001)
  t.equal(appointments.wouldBreak(1e6, 3_001, ALL), false, 'it comes no more')
})

t.test('calls of unlike length: a short one that hardly can wait keeps no long one out, unless clients do come back', async t => {
  const appointments = new Appointments()
  const keep = (identity: string): void => {
    appointments.book(who(identity), 0, 0, 120_000)
    const own = appointments.find(identity)
    if (own !== undefined) appointments.strike(own, own.dueAtMs)
  }
  keep('one')
  for (let i = 0; i < 60; i++) appointments.book(who(String(i)), 0, 0, 120_000)
  appointments.advance(100_000)
  appointments.book(who('short', { spareMs: 0, costMs: 50 }), 0, 100_000, 120_000)
  t.equal(appointments.wouldBreak(2_000, 101_500, ALL), false, 'one in sixty came back')
  for (let i = 0; i < 200; i++) keep(`kept${i}`)
  t.equal(appointments.wouldBreak(2_000, 101_500, ALL), true, 'now nearly all do')
})

t.test('who does not come when it was told to makes appointments weigh less', async t => {
  const appointments = new Appointments()
  for (let i = 0; i < 64; i++) appointments.book(who(String(i)), 0, 0, 120_000)
  const before = appointments.keptShare
  for (let i = 0; i < 4; i++) {
    const kept = appointments.find(String(i))
    if (kept !== undefined) appointments.strike(kept, kept.dueAtMs)
  }
  t.equal(appointments.keptShare, before, 'all came so far')
  appointments.advance(60_000)
  t.equal(appointments.size, 0)
  t.ok(appointments.keptShare < 0.2, `${appointments.keptShare}: 60 did not`)
  const scarce = new Appointments()
  for (let i = 0; i < 30; i++) scarce.book(who(String(i)), 0, 0, 120_000)
  scarce.advance(60_000)
  scarce.book(who('one more'), 0, 60_000, 120_000)
  t.equal(scarce.wouldBreak(1e6, 60_000, ALL), false, 'for those who never come newcomers leave nothing free')
  const times = Array.from({ length: 20 }, (_, i) => appointments.book(who(`later${i}`), 0, 60_000, 120_000) ?? NaN)
  t.ok(Math.max(...times) <= 3_000, `the last of 20 is told ${Math.max(...times)} ms, since few will come`)
})

t.test('who came early and was let in says nothing of whether others keep theirs', async t => {
  const appointments = new Appointments()
  appointments.book(who('missed'), 0, 0, 120_000)
  appointments.advance(10_000)
  const share = appointments.keptShare
  appointments.book(who('early'), 0, 10_000, 120_000)
  const early = appointments.find('early')
  if (early === undefined) throw new Error('not booked')
  appointments.strike(early, 10_100)
  t.equal(appointments.keptShare, share)
  t.equal(appointments.size, 0)
})
