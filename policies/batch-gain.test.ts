import t from 'tap'
import { BatchGain, type Way } from './batch-gain.js'

/** Calls of one input until `calls` were made, each served as `msOf` says. @returns how many went joined */
function run (gain: BatchGain, tokens: number, calls: number, msOf: Readonly<Record<Way, number>>): number {
  let joined = 0
  for (let call = 0; call < calls; call++) {
    const { way } = gain.choose(tokens, 1, 1)
    if (way === 'joined') joined++
    gain.learn(way, tokens, 1, msOf[way])
  }
  return joined
}

t.test('joined where that is faster, alone where it is not, and next to nothing is spent on finding out', async t => {
  for (const [msOf, lo, hi] of [[{ alone: 6, joined: 4 }, 0.97, 1], [{ alone: 11, joined: 14 }, 0, 0.015], [{ alone: 10, joined: 10 }, 0, 0.015]] as const) {
    const gain = new BatchGain(1.05)
    const share = run(gain, 4, 32_000, msOf) / 32_000
    t.ok(share >= lo && share <= hi, `${JSON.stringify(msOf)}: ${share} joined`)
    t.ok(Math.abs((gain.gain(4) ?? 0) - msOf.alone / msOf.joined) < 1e-9)
  }
})

/** As `run`, with so many calls at one time, of which those beside calls that go the other way are not measured. */
function runBeside (gain: BatchGain, underWay: number, calls: number, msOf: Readonly<Record<Way, number>>): void {
  const line: Array<{ readonly way: Way, pure: boolean }> = []
  for (let call = 0; call < calls; call++) {
    const { way } = gain.choose(64, 1, line.length)
    const others = line.filter(each => each.way !== way)
    for (const other of others) other.pure = false
    line.push({ way, pure: others.length === 0 })
    const over = line.length > underWay ? line.shift() : undefined
    if (over?.pure === true) gain.learn(over.way, 64, 1, msOf[over.way])
  }
}

t.test('with many at one time both ways are measured, and a look at the other way finds something out', async t => {
  for (const underWay of [1, 32, 200]) {
    const gain = new BatchGain(1.05)
    const round = 32 + 2 * underWay
    runBeside(gain, underWay, 7 * round, { alone: 20, joined: 14 })
    t.same(gain.joined, [64], `${underWay} under way`)
    runBeside(gain, underWay, 40 * round, { alone: 11, joined: 14 })
    t.same(gain.joined, [], `${underWay} under way: it has changed`)
  }
})

t.test('what was learned while everything was cold is corrected soon', async t => {
  const gain = new BatchGain(1.05)
  run(gain, 64, 220, { alone: 20, joined: 14 })
  t.same(gain.joined, [64], 'taken for faster')
  run(gain, 64, 600, { alone: 11, joined: 14 })
  t.same(gain.joined, [])
})

t.test('a stall of a moment does not decide', async t => {
  const gain = new BatchGain(1.05)
  run(gain, 64, 400, { alone: 11, joined: 14 })
  for (let call = 0; call < 6; call++) gain.learn('alone', 64, 1, 22)
  t.ok((gain.gain(64) ?? 2) < 1, `${gain.gain(64)}`)
})

t.test('who joins a call that has chosen counts in its round: the other way is looked at as soon', async t => {
  const asked = [0, 7].map(others => {
    const gain = new BatchGain(1.05)
    run(gain, 4, 300, { alone: 6, joined: 4 })
    for (let calls = 1; ; calls++) {
      const { why } = gain.choose(4, 1, 0)
      gain.joins(4, others)
      if (why === 'to learn whether that has changed') return calls * (1 + others)
    }
  })
  const [alone = NaN, together = NaN] = asked
  t.ok(together <= alone + 64, `${asked.join(', ')} inputs`)
})

t.test('nothing is known of another length by it', async t => {
  const gain = new BatchGain(1.05)
  run(gain, 4, 3_000, { alone: 6, joined: 4 })
  run(gain, 16, 3_000, { alone: 11, joined: 14 })
  t.same(gain.joined, [4])
  t.equal(gain.gain(64), undefined)
  t.equal(gain.choose(16, 1, 1).why, 'no gain is predicted')
  const five = gain.choose(5, 1, 1)
  t.match(five, { way: 'joined', why: 'a gain is predicted' }, 'five tokens are as long as four')
  t.ok(Math.abs((five.gain ?? 0) - 1.5) < 1e-9)
})

t.test('what changed is found out', async t => {
  const gain = new BatchGain(1.05)
  run(gain, 4, 30_000, { alone: 6, joined: 4 })
  run(gain, 4, 700, { alone: 6, joined: 9 })
  t.same(gain.joined, [], 'soon where what it does became slower')
  run(gain, 4, 70_000, { alone: 6, joined: 4 })
  t.same(gain.joined, [4], 'by and by where what it does not do became faster')
})

t.test('an input counts by its share of the call', async t => {
  const gain = new BatchGain(1.05)
  for (let pair = 0; pair < 4; pair++) {
    for (let call = 0; call < 32; call++) gain.learn('alone', 4, 1, 6)
    for (let call = 0; call < 4; call++) gain.learn('joined', 4, 8, 32)
  }
  t.ok(Math.abs((gain.gain(4) ?? 0) - 1.5) < 1e-9)
})

/** A machine that takes up to 1.45 times as long as at its best, for a second or for a minute. */
function restless (seed: number): () => number {
  let [state, pace, left] = [seed, 1, 0]
  const random = (): number => { state = Math.imul(state, 1_664_525) + 1_013_904_223 >>> 0; return state / 2 ** 32 }
  return () => {
    if (left-- <= 0) {
      pace = 1 + 0.45 * random()
      left = Math.round(50 + 1_000 * random())
    }
    return pace * (0.9 + 0.2 * random())
  }
}

t.test('a machine that changes its pace makes no gain where there is none, and hides none that is there', async t => {
  const shareOf = (msOf: Readonly<Record<Way, number>>, seed: number): number => {
    const gain = new BatchGain(1.05)
    const pace = restless(seed)
    let joined = 0
    for (let call = 0; call < 8_000; call++) {
      const { way } = gain.choose(64, 1, 8)
      if (way === 'joined') joined++
      gain.learn(way, 64, 1, msOf[way] * pace())
    }
    return joined / 8_000
  }
  const seeds = Array.from({ length: 20 }, (_, index) => 7 * index + 1)
  const mean = (msOf: Readonly<Record<Way, number>>): number => seeds.reduce((sum, seed) => sum + shareOf(msOf, seed), 0) / seeds.length
  const [same, faster] = [mean({ alone: 10, joined: 10 }), mean({ alone: 13, joined: 10 })]
  t.ok(same < 0.15, `the same either way: ${same} joined`)
  t.ok(faster > 0.85, `faster: ${faster} joined`)
})
