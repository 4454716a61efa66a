import t from 'tap'
import { ReturnTimes } from './return-times.js'

function taught (gapsMs: readonly number[], lostMs: readonly number[] = []): (ageMs: number) => number {
  const times = new ReturnTimes()
  for (const gapMs of gapsMs) times.returned(gapMs)
  for (const ageMs of lostMs) times.lost(ageMs)
  return ageMs => times.density(ageMs) ?? t.fail('nothing known') as never
}

t.test('nothing is known before one came back', async t => {
  const times = new ReturnTimes()
  times.lost(1_000)
  t.equal(times.density(10), undefined)
})

t.test('where conversations take turns, the one that was used last is the last to come back', async t => {
  const density = taught(Array.from({ length: 10 }, () => 8_000))
  t.ok(density(7_000) > density(4_000))
  t.ok(density(4_000) > density(100))
  t.ok(density(4_000) > density(20_000), 'what is long overdue is not expected any more')
})

t.test('those that never come back count', async t => {
  const gaps = [1_000, 2_000, 4_000]
  t.ok(taught(gaps)(500) > taught(gaps, [60_000, 60_000, 60_000])(500))
  t.equal(taught(gaps)(1_500), taught(gaps, [900])(1_500), 'not before the age at which they were forgotten')
})

t.test('what was long ago is forgotten', async t => {
  const density = taught([...Array.from({ length: 5 }, () => 100_000), ...Array.from({ length: 600 }, () => 1_000)])
  t.ok(density(50_000) <= 0.1 / 50_000)
})
