import t from 'tap'
import { simulateBatched } from './testing-batched-server.js'
import { seededRandom, type SimulatedCall } from './testing-traffic.js'

// Measured of a 135M model on one core: 5 ms a prompt token, decode steps of 7 ms alone and 39 ms among four.
const server = { places: 4, maxWaitMs: 30_000, maxQueued: 1_000, promptTokens: 0, outputTokens: 0, prefillMsPerToken: 5, decodeStepMs: (slots: number) => 10.5 * slots - 3, noise: 0.15, streamed: true, prefillTokens: 64 }
const TEMPLATE_TOKENS = 12
const SEEDS = [1, 2, 3, 4]
const [FROM_MS, TO_MS] = [20_000, 150_000]
/** Thirds of the prompts, and three times what each third's middle takes on an idle server. */
const classes = [{ to: 26, limitMs: 440 }, { to: 61, limitMs: 840 }, { to: 512, limitMs: 1_920 }] as const

interface Drawn { readonly cls: number, readonly workMs: number }

function lognormal (random: () => number, median: number, most: number): number {
  for (;;) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    const value = Math.round(median * Math.exp(normal))
    if (value >= 1 && value <= most) return value
  }
}

function run (arrivalsPerSecond: number, seed: number, options: { readonly balance?: boolean, readonly maxQueued?: number, readonly equal?: boolean, readonly limits?: boolean }): { readonly calls: readonly SimulatedCall[], readonly drawn: readonly Drawn[] } {
  const { equal = false, limits = true, ...rest } = options
  const drawn: Drawn[] = []
  const lengths = seededRandom(seed * 7_919)
  const calls = simulateBatched({
    ...server,
    ...rest,
    seed,
    arrivalsPerSecond,
    durationMs: TO_MS,
    lengthsOf: () => {
      const words = equal ? 40 : lognormal(lengths, 40, 512)
      const outputTokens = equal ? 16 : lognormal(lengths, 16, 256)
      const cls = classes.findIndex(({ to }) => words <= to)
      const promptTokens = words + TEMPLATE_TOKENS
      const ttftLimitMs = equal ? 1_500 : classes[cls]?.limitMs ?? 0
      drawn.push({ cls, workMs: promptTokens * 5 + outputTokens * 10 })
      return { promptTokens, outputTokens, ask: { caller: 'c', weight: 1, priority: 1, bodyBytes: words * 5 + 100, maxTokens: outputTokens, ...(limits ? { ttftLimitMs } : {}) } }
    }
  })
  return { calls, drawn }
}

/** Saturated: calls and work, milliseconds, per second. */
function capacity (equal: boolean): { readonly calls: number, readonly work: number } {
  const { calls, drawn } = run(30, 9, { maxQueued: 40, equal, limits: false })
  const over = drawn.filter((_, index) => (calls[index]?.overAtMs ?? 0) > FROM_MS && (calls[index]?.overAtMs ?? Infinity) <= TO_MS)
  const seconds = (TO_MS - FROM_MS) / 1000
  return { calls: over.length / seconds, work: over.reduce((sum, { workMs }) => sum + workMs, 0) / seconds }
}

/** In which no call runs. */
function idleMsOf (calls: readonly SimulatedCall[]): number {
  const lives = calls.flatMap(({ startedAtMs, overAtMs }) => startedAtMs === undefined || overAtMs === undefined ? [] : [[startedAtMs, overAtMs] as const]).sort(([a], [b]) => a - b)
  let idleMs = 0
  let atMs = FROM_MS
  for (const [fromMs, toMs] of [...lives, [TO_MS, TO_MS] as const]) {
    idleMs += Math.max(0, Math.min(fromMs, TO_MS) - atMs)
    atMs = Math.max(atMs, toMs)
  }
  return idleMs
}

/** Of the calls of all seeds together. */
function judged (overload: number, options: { readonly balance: boolean, readonly equal?: boolean }) {
  const most = capacity(options.equal === true)
  const offered = [0, 0, 0]
  const good = [0, 0, 0]
  const relative: number[] = []
  let workMs = 0
  let lateWorkMs = 0
  let idleMs = 0
  let turnedAway = 0
  for (const seed of SEEDS) {
    const { calls, drawn } = run(overload * most.calls, seed, options)
    idleMs += idleMsOf(calls)
    for (const [index, { arrivedAtMs, firstByteAtMs, refused }] of calls.entries()) {
      const own = drawn[index]
      if (own === undefined || arrivedAtMs < FROM_MS) continue
      offered[own.cls] = (offered[own.cls] ?? 0) + 1
      if (refused === 'balance') turnedAway++
      if (firstByteAtMs === undefined) continue
      const share = (firstByteAtMs - arrivedAtMs) / (options.equal === true ? 1_500 : classes[own.cls]?.limitMs ?? 0)
      relative.push(share)
      if (share > 1) {
        lateWorkMs += own.workMs
        continue
      }
      good[own.cls] = (good[own.cls] ?? 0) + 1
      workMs += own.workMs
    }
  }
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0)
  const overall = sum(good) / sum(offered)
  relative.sort((a, b) => a - b)
  const shares = good.flatMap((count, cls) => offered[cls] === 0 ? [] : count / (offered[cls] ?? 1))
  const perCapacity = (ms: number): number => ms / (TO_MS - FROM_MS) * 1000 / SEEDS.length / most.work
  return {
    work: perCapacity(workMs),
    late: perCapacity(lateWorkMs),
    idle: idleMs / (TO_MS - FROM_MS) / SEEDS.length,
    worst: Math.min(...shares) / overall,
    p95: relative[Math.floor(relative.length * 0.95)] ?? NaN,
    turnedAway,
    where: `${overload}×: good ${shares.map(share => share.toFixed(2)).join(', ')} of short, middle, long`
  }
}

t.test('with unequal lengths and limits, overloaded, every length gets its part of the server, and the server works as much', async t => {
  for (const overload of [2, 4]) {
    const { work, worst, p95, where } = judged(overload, { balance: true })
    t.ok(worst >= 0.8, `${where}; worst ÷ all ${worst.toFixed(2)}`)
    t.ok(work >= 0.9, `${where}; good work ÷ capacity ${work.toFixed(3)}`)
    t.ok(p95 <= 1, `${where}; p95 of TTFT ÷ limit ${p95.toFixed(2)}`)
    const without = judged(overload, { balance: false })
    t.ok(without.worst < 0.7, `without: ${without.where}; worst ÷ all ${without.worst.toFixed(2)}`)
  }
})

t.test('what is lacking of the capacity at 2× is time in which nobody is there: a line that is short enough for such limits runs empty by chance', async t => {
  const [at2, at4] = [judged(2, { balance: true }), judged(4, { balance: true })]
  for (const { work, late, idle, where } of [at2, at4]) t.ok(work + late + idle >= 0.98, `${where}; good ${work.toFixed(3)}, late ${late.toFixed(3)} of the capacity, idle ${idle.toFixed(3)} of the time`)
  t.ok(at2.idle >= 2 * at4.idle, `idle ${at2.idle.toFixed(3)} at 2×, ${at4.idle.toFixed(3)} at 4×`)
  t.ok(at4.work > at2.work)
})

t.test('at light load nobody is turned away, and with equal lengths nobody once the size of a prompt is known', async t => {
  t.equal(judged(0.2, { balance: true }).turnedAway, 0)
  for (const overload of [2, 4]) {
    const [on, off] = [judged(overload, { balance: true, equal: true }), judged(overload, { balance: false, equal: true })]
    t.equal(on.turnedAway, 0)
    t.ok(Math.abs(on.work / off.work - 1) < 0.01, `${overload}×: good work ÷ capacity ${on.work.toFixed(3)}, without ${off.work.toFixed(3)}`)
  }
})
