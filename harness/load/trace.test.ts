import t from 'tap'
import type { WorkloadClass } from '../types.js'
import { deriveSeed, makeRandom } from './random.js'
import { classDealer, deckLength, makeTrace } from './trace.js'

const short: WorkloadClass = { name: 'short', promptWords: 32, maxTokens: 16, share: 0.8 }
const long: WorkloadClass = { name: 'long', promptWords: 400, maxTokens: 64, share: 0.2 }
const options = { seed: 7, ratePerSecond: 5, seconds: 2000, classes: [short, long] }

t.test('the same seed gives the same trace, another seed another', async t => {
  t.equal(JSON.stringify(makeTrace(options)), JSON.stringify(makeTrace(options)))
  t.not(JSON.stringify(makeTrace({ ...options, seed: 8 })), JSON.stringify(makeTrace(options)))
})

t.test('other shares leave the times as they are', async t => {
  const timesOf = (classes: WorkloadClass[]): string => makeTrace({ ...options, classes }).map(({ atMs, promptSeed }) => `${atMs} ${promptSeed}`).join()
  t.equal(timesOf([short]), timesOf([short, long]))
})

t.test('entries are numbered, in order and inside the time', async t => {
  const trace = makeTrace(options)
  t.ok(trace.every(({ seq, atMs }, index) => seq === index && atMs >= 0 && atMs < 2_000_000 && atMs >= (trace[index - 1]?.atMs ?? 0)))
  t.equal(new Set(trace.map(({ promptSeed }) => promptSeed)).size, trace.length)
})

t.test('a block is overloaded as much as was asked: the number is no matter of chance', async t => {
  t.same([1, 2, 3].map(seed => makeTrace({ ...options, seed, seconds: 13.2, ratePerSecond: 4.1 }).length), [54, 54, 54])
})

t.test('gaps are exponential: Kolmogorov-Smirnov at the 1 % level, for ten seeds', async t => {
  for (let seed = 1; seed <= 10; seed++) {
    const trace = makeTrace({ ...options, seed })
    const gaps = trace.map(({ atMs }, index) => atMs - (trace[index - 1]?.atMs ?? 0)).sort((a, b) => a - b)
    const distance = Math.max(...gaps.map((gap, index) => {
      const expected = 1 - Math.exp(-gap * options.ratePerSecond / 1000)
      return Math.max(expected - index / gaps.length, (index + 1) / gaps.length - expected)
    }))
    t.ok(distance < 1.63 / Math.sqrt(gaps.length), `seed ${seed}: D = ${distance}, n = ${gaps.length}`)
  }
})

t.test('counts per second are Poisson: mean is the rate, index of dispersion is 1', async t => {
  for (let seed = 1; seed <= 10; seed++) {
    const counts = new Array<number>(options.seconds).fill(0)
    for (const { atMs } of makeTrace({ ...options, seed })) counts[Math.floor(atMs / 1000)]! += 1
    const mean = counts.reduce((sum, count) => sum + count) / counts.length
    const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / (counts.length - 1)
    t.ok(Math.abs(mean - 5) < 3 * Math.sqrt(5 / counts.length), `seed ${seed}: mean ${mean}`)
    t.ok(Math.abs(variance / mean - 1) < 3 * Math.sqrt(2 / counts.length), `seed ${seed}: dispersion ${variance / mean}`)
  }
})

t.test('classes come by their shares, independent of the time', async t => {
  const trace = makeTrace(options)
  for (const half of [trace.slice(0, 5000), trace.slice(5000)]) {
    const share = half.filter(({ cls }) => cls === 'long').length / half.length
    t.ok(Math.abs(share - 0.2) < 3 * Math.sqrt(0.16 / half.length), `share ${share}`)
  }
})

t.test('each class has its share of the calls to the nearest whole, however few they are', async t => {
  const rare = [{ ...short, share: 0.95 }, { ...long, share: 0.05 }]
  for (let seed = 1; seed <= 20; seed++) {
    const trace = makeTrace({ seed, ratePerSecond: 3, seconds: 10, classes: rare })
    t.equal(trace.filter(({ cls }) => cls === 'long').length, 2, `seed ${seed}: 1.5 of 30, and what is left over goes to the rarer class`)
  }
})

t.test('what cannot be a trace is refused by name', async t => {
  t.throws(() => makeTrace({ ...options, ratePerSecond: 0 }), /ratePerSecond is 0/)
  t.throws(() => makeTrace({ ...options, seconds: NaN }), /seconds is NaN/)
  t.throws(() => makeTrace({ ...options, classes: [{ ...long, share: 0 }] }), /classes: no class has a share/)
})

t.test('neighbouring seeds and streams are unrelated', async t => {
  const firsts = Array.from({ length: 4000 }, (_, seed) => makeRandom(seed)())
  const streams = Array.from({ length: 4000 }, (_, n) => deriveSeed(3, n) / 2 ** 32)
  for (const values of [firsts, streams]) {
    const mean = values.reduce((sum, value) => sum + value) / values.length
    t.ok(Math.abs(mean - 0.5) < 0.014, `mean ${mean}`)
    const pairs = values.slice(1).reduce((sum, value, index) => sum + (value - 0.5) * ((values[index] ?? 0) - 0.5), 0) / values.length
    t.ok(Math.abs(pairs * 12) < 0.05, `serial correlation ${pairs * 12}`)
  }
})

t.test('a burst adds its own arrivals and classes, and as many of the others come before it, per second, as from then on', async t => {
  const burst = { ratePerSecond: 20, fromSeconds: 500, seconds: 100, shares: { long: 1 } }
  const plain = makeTrace({ ...options, classes: [short, { ...long, share: 0 }] })
  const trace = makeTrace({ ...options, classes: [short, { ...long, share: 0 }], burst })
  t.equal(trace.length, plain.length + 2000)
  for (const seed of [1, 2, 3]) {
    const others = makeTrace({ ...options, seed, classes: [short, { ...long, share: 0 }], burst }).filter(({ cls }) => cls === 'short')
    t.equal(others.length, plain.length)
    t.equal(others.filter(({ atMs }) => atMs < 500_000).length, Math.round(500 * options.ratePerSecond))
  }
  t.ok(trace.filter(({ cls }) => cls === 'long').every(({ atMs }) => atMs >= 500_000 && atMs < 600_000))
  t.ok(trace.every(({ seq, atMs }, index) => seq === index && atMs >= (trace[index - 1]?.atMs ?? 0)))
  t.equal(makeTrace({ ...options, seconds: 510, burst }).filter(({ atMs }) => atMs >= 510_000).length, 0, 'what would come after the load is left out')
})

t.test('prompts of a pool are asked again as often as Zipf says, each class its own, and the arrivals stay where they were', async t => {
  const pooled: WorkloadClass = { ...short, prompts: { pool: 20, zipf: 1 } }
  const plain = makeTrace(options)
  const trace = makeTrace({ ...options, classes: [pooled, long] })
  t.same(trace.map(({ atMs, cls }) => [atMs, cls]), plain.map(({ atMs, cls }) => [atMs, cls]))
  const counts = new Map<number, number>()
  for (const { cls, promptSeed } of trace) if (cls === 'short') counts.set(promptSeed, (counts.get(promptSeed) ?? 0) + 1)
  const sorted = [...counts.values()].sort((a, b) => b - a)
  t.equal(sorted.length, 20)
  const harmonic = Array.from({ length: 20 }, (_, index) => 1 / (index + 1)).reduce((a, b) => a + b)
  const total = sorted.reduce((a, b) => a + b)
  for (const [index, count] of sorted.slice(0, 5).entries()) t.ok(Math.abs(count / total - 1 / (index + 1) / harmonic) < 0.02, `${index + 1}: ${count} of ${total}`)
  const both = makeTrace({ ...options, classes: [pooled, { ...long, prompts: { pool: 20, zipf: 1 } }] })
  const seedsOf = (name: string): Set<number> => new Set(both.filter(({ cls }) => cls === name).map(({ promptSeed }) => promptSeed))
  t.equal([...seedsOf('short')].filter(seed => seedsOf('long').has(seed)).length, 0)
  t.same(trace.filter(({ cls }) => cls === 'long'), plain.filter(({ cls }) => cls === 'long'))
})

t.test('calls that come together', async t => {
  const few = { seed: 7, ratePerSecond: 1, seconds: 10 }
  for (const prompt of ['one', 'each'] as const) {
    const trace = makeTrace({ ...few, classes: [{ ...short, together: { calls: 50, prompt } }] })
    t.equal(trace.length, 500)
    t.ok(trace.every(({ seq }, index) => seq === index))
    t.ok(trace.every(({ atMs }, index) => atMs >= (trace[index - 1]?.atMs ?? 0)))
    for (let seed = 0; seed < 40; seed++) {
      const short1s = makeTrace({ seed, ratePerSecond: 1, seconds: 1, classes: [{ ...short, together: { calls: 50, prompt } }] })
      t.ok((short1s.at(-1)?.atMs ?? Infinity) < 1000, 'they end with the load')
    }
    const plain = makeTrace({ ...few, classes: [short] })
    for (const { atMs: fromMs, promptSeed: first } of plain) t.ok(trace.some(({ atMs, promptSeed }) => atMs === fromMs && promptSeed === first))
    const times = new Map<number, number[]>()
    for (const { atMs, promptSeed } of trace) times.set(promptSeed, [...times.get(promptSeed) ?? [], atMs])
    if (prompt === 'one') for (const [firstMs = 0, ...others] of times.values()) t.same(others.map(atMs => Math.round(atMs - firstMs)), Array.from({ length: 49 }, (_, copy) => 4 * (copy + 1)))
    t.equal(new Set(trace.map(({ promptSeed }) => promptSeed)).size, prompt === 'one' ? 10 : 500)
  }
})

t.test('a closed loop has each class as often as its share says, in every deck, in random order', async t => {
  const cls = (name: string, share: number): WorkloadClass => ({ ...short, name, share })
  const classes = [cls('short', 0.9), cls('long', 0.1)]
  t.equal(deckLength(classes), 10)
  const next = classDealer(classes, makeRandom(1))
  const dealt = Array.from({ length: 40 }, () => next().name)
  for (let from = 0; from < 40; from += 10) t.equal(dealt.slice(from, from + 10).filter(name => name === 'long').length, 1, `deck from ${from}`)
  t.not(new Set([0, 10, 20, 30].map(from => dealt.slice(from, from + 10).indexOf('long'))).size, 1, 'not at the same place')
  const uneven = classDealer([cls('a', 0.5), cls('b', 0.35), cls('c', 0.15)], makeRandom(2))
  const many = Array.from({ length: 700 }, () => uneven().name)
  t.same(['a', 'b', 'c'].map(name => Math.round(many.filter(each => each === name).length / 7)), [50, 35, 15], 'what a deck has too many of, a later one has not')
  const rare = classDealer([cls('usual', 0.995), cls('rare', 0.005)], makeRandom(3))
  t.equal(Array.from({ length: 1000 }, () => rare().name).filter(name => name === 'rare').length, 5)
  t.equal(deckLength([cls('one', 1), cls('only in a burst', 0)]), 1)
  t.equal(deckLength([cls('a', 0.95), cls('b', 0.05)]), 20)
  t.throws(() => classDealer([cls('none', 0)], makeRandom(1)), /no class has a share above 0/)
})
