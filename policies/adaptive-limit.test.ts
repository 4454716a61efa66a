import t from 'tap'
import { AdaptiveLimit } from './adaptive-limit.js'
import { seededRandom } from './testing-traffic.js'

/** Runs it on a server with these tokens per second by company; returns how often each limit was in force. */
function run (rates: readonly number[], answers: number, noise = 0.1, limit = new AdaptiveLimit(rates.length)): number[] {
  const random = seededRandom(3)
  const held = rates.map(() => 0)
  for (let answer = 0; answer < answers; answer++) {
    const company = limit.limit
    held[company - 1] = (held[company - 1] ?? 0) + 1
    limit.onSample(company, company / (rates[company - 1] ?? 1) * 1_000 * (1 + noise * (2 * random() - 1)))
  }
  return held.map(count => count / answers)
}

t.test('where company pays (batch 1, 2, 4, 8 as measured) it stays at all places but for its tries', async t => {
  const share = run([97, 98, 112, 126, 134, 142, 150, 157], 20_000)
  t.ok((share[7] ?? 0) > 0.8, share.join(' '))
})

t.test('where more thrash, it comes down to the best and stays there', async t => {
  const share = run([80, 100, 70, 50, 30, 20, 12, 8], 20_000)
  t.ok((share[1] ?? 0) > 0.75, share.join(' '))
  t.ok((share[7] ?? 0) < 0.05)
})

t.test('a plateau is no reason to go down', async t => {
  const share = run([100, 101, 100, 101], 8_000, 0.02)
  t.ok((share[3] ?? 0) > 0.75, share.join(' '))
})

t.test('it follows a server that changes', async t => {
  const limit = new AdaptiveLimit(4)
  run([90, 100, 60, 40], 4_000, 0.05, limit)
  const share = run([50, 80, 110, 130], 8_000, 0.05, limit)
  t.ok((share[3] ?? 0) > 0.6, share.join(' '))
})

t.test('answers that ran in another company say nothing', async t => {
  const limit = new AdaptiveLimit(4)
  for (let answer = 0; answer < 1_000; answer++) limit.onSample(2, 1)
  t.equal(limit.limit, 4)
})

t.test('another number of places begins anew', async t => {
  const limit = new AdaptiveLimit(8)
  run([80, 100, 70, 50, 30, 20, 12, 8], 5_000, 0.05, limit)
  limit.resize(2)
  t.equal(limit.limit, 2)
})
