import t from 'tap'
import { simulateBatched } from './testing-batched-server.js'
import { seededRandom, type SimulatedCall } from './testing-traffic.js'

const server = { places: 4, maxWaitMs: 30_000, maxQueued: 1_000, promptTokens: 0, outputTokens: 0, noise: 0.15, streamed: true, prefillTokens: 64 }

interface Machine {
  readonly prefillMsPerToken: number
  readonly decodeStepMs: (slots: number) => number
  /** On an idle server, milliseconds. */
  readonly workMs: (promptTokens: number, outputTokens: number) => number
  /** Three times what the middle of each third of the prompts takes on an idle server. */
  readonly limitsMs: readonly [number, number, number]
}

/** Measured of a 135M model on one core: 5 ms a prompt token, decode steps of 7 ms alone and 39 ms among four. Calls side by side gain nothing. */
const alone: Machine = { prefillMsPerToken: 5, decodeStepMs: slots => 10.5 * slots - 3, workMs: (prompt, output) => prompt * 5 + output * 10, limitsMs: [440, 840, 1_920] }
/** The same while neighbours use up the memory's bandwidth, which a step of one sequence is bound by: 2.9 ms a prompt token, steps of 22 ms alone and hardly twice that among four. */
const together: Machine = { prefillMsPerToken: 2.9, decodeStepMs: slots => 16 + 6 * slots, workMs: (prompt, output) => prompt * 2.9 + output * 22, limitsMs: [200, 450, 700] }
const TEMPLATE_TOKENS = 12
const SEEDS = [1, 2, 3, 4]
const [FROM_MS, TO_MS] = [20_000, 150_000]
/** Most words of each third of the prompts. */
const THIRDS = [26, 61, 512] as const
const EQUAL_LIMIT_MS = 1_500

interface Drawn { readonly cls: number, readonly workMs: number, readonly limitMs: number }

function lognormal (random: () => number, median: number, most: number): number {
  for (;;) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    const value = Math.round(median * Math.exp(normal))
    if (value >= 1 && value <= most) return value
  }
}

interface Options { readonly machine?: Machine, readonly balance?: boolean, readonly maxQueued?: number, readonly equal?: boolean, readonly limits?: boolean }

function run (arrivalsPerSecond: number, seed: number, options: Options): { readonly calls: readonly SimulatedCall[], readonly drawn: readonly Drawn[] } {
  const { machine: { prefillMsPerToken, decodeStepMs, workMs, limitsMs } = alone, equal = false, limits = true, ...rest } = options
  const drawn: Drawn[] = []
  const lengths = seededRandom(seed * 7_919)
  const calls = simulateBatched({
    ...server,
    prefillMsPerToken,
    decodeStepMs,
    ...rest,
    seed,
    arrivalsPerSecond,
    durationMs: TO_MS,
    lengthsOf: () => {
      const words = equal ? 40 : lognormal(lengths, 40, 512)
      const outputTokens = equal ? 16 : lognormal(lengths, 16, 256)
      const cls = THIRDS.findIndex(most => words <= most)
      const promptTokens = words + TEMPLATE_TOKENS
      const ttftLimitMs = equal ? EQUAL_LIMIT_MS : limitsMs[cls] ?? 0
      drawn.push({ cls, workMs: workMs(promptTokens, outputTokens), limitMs: ttftLimitMs })
      return { promptTokens, outputTokens, ask: { caller: 'c', weight: 1, priority: 1, bodyBytes: words * 5 + 100, maxTokens: outputTokens, ...(limits ? { ttftLimitMs } : {}) } }
    }
  })
  return { calls, drawn }
}

/** Saturated: calls and work, milliseconds, per second. */
function capacity ({ machine = alone, equal = false }: Options): { readonly calls: number, readonly work: number } {
  const { calls, drawn } = run(30, 9, { machine, maxQueued: 40, equal, limits: false })
  const over = drawn.filter((_, index) => (calls[index]?.overAtMs ?? 0) > FROM_MS && (calls[index]?.overAtMs ?? Infinity) <= TO_MS)
  const seconds = (TO_MS - FROM_MS) / 1000
  return { calls: over.length / seconds, work: over.reduce((sum, { workMs }) => sum + workMs, 0) / seconds }
}

/** From start to end, in order of starts, as far as they lie in the window. */
function livesOf (calls: readonly SimulatedCall[]): ReadonlyArray<readonly [number, number]> {
  return calls
    .flatMap(({ startedAtMs, overAtMs }) => startedAtMs === undefined || overAtMs === undefined || overAtMs <= FROM_MS || startedAtMs >= TO_MS ? [] : [[Math.max(startedAtMs, FROM_MS), Math.min(overAtMs, TO_MS)] as const])
    .sort(([a], [b]) => a - b)
}

function livesMsOf (calls: readonly SimulatedCall[]): number {
  return livesOf(calls).reduce((sum, [fromMs, toMs]) => sum + toMs - fromMs, 0)
}

/** In which no call runs. */
function idleMsOf (calls: readonly SimulatedCall[]): number {
  let idleMs = 0
  let atMs = FROM_MS
  for (const [fromMs, toMs] of [...livesOf(calls), [TO_MS, TO_MS] as const]) {
    idleMs += Math.max(0, fromMs - atMs)
    atMs = Math.max(atMs, toMs)
  }
  return idleMs
}

/** Of the calls of all seeds together. */
function judged (overload: number, options: Options) {
  const most = capacity(options)
  const offered = [0, 0, 0]
  const good = [0, 0, 0]
  const relative: number[] = []
  let workMs = 0
  let lateWorkMs = 0
  let idleMs = 0
  let livesMs = 0
  let turnedAway = 0
  for (const seed of SEEDS) {
    const { calls, drawn } = run(overload * most.calls, seed, options)
    idleMs += idleMsOf(calls)
    livesMs += livesMsOf(calls)
    for (const [index, { arrivedAtMs, firstByteAtMs, refused }] of calls.entries()) {
      const own = drawn[index]
      if (own === undefined || arrivedAtMs < FROM_MS) continue
      offered[own.cls] = (offered[own.cls] ?? 0) + 1
      if (refused === 'balance') turnedAway++
      if (firstByteAtMs === undefined) continue
      const share = (firstByteAtMs - arrivedAtMs) / own.limitMs
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
    sideBySide: livesMs / (TO_MS - FROM_MS) / SEEDS.length,
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

t.test('where calls side by side gain nothing, what 2× lacks of the capacity is time in which nobody is there: a line that is short enough for such limits runs empty by chance', async t => {
  const [at2, at4] = [judged(2, { balance: true }), judged(4, { balance: true })]
  for (const { work, late, idle, where } of [at2, at4]) t.ok(work + late + idle >= 0.98, `${where}; good ${work.toFixed(3)}, late ${late.toFixed(3)} of the capacity, idle ${idle.toFixed(3)} of the time`)
  t.ok(at2.idle >= 2 * at4.idle, `idle ${at2.idle.toFixed(3)} at 2×, ${at4.idle.toFixed(3)} at 4×`)
  t.ok(at4.work > at2.work)
})

t.test('where they gain much, it is company: fewer run side by side than there are places, with balance and without', async t => {
  const [on, off] = [judged(2, { machine: together, balance: true }), judged(2, { machine: together, balance: false })]
  for (const { work, late, idle, sideBySide, where } of [on, off]) {
    t.ok(work < 0.9 && work > 0.75, `${where}; good work ÷ capacity ${work.toFixed(3)}`)
    t.ok(late + idle < 0.08, `late ${late.toFixed(3)}, idle ${idle.toFixed(3)}`)
    t.ok(sideBySide < 3.2, `${sideBySide.toFixed(2)} of ${server.places} run side by side`)
  }
})

t.test('where they gain much, balance costs little of it: who could start at once is not kept out for another length', async t => {
  for (const overload of [2, 4]) {
    const [on, off] = [judged(overload, { machine: together, balance: true }), judged(overload, { machine: together, balance: false })]
    t.ok(on.work >= off.work - 0.05, `${on.where}; good work ÷ capacity ${on.work.toFixed(3)}, without ${off.work.toFixed(3)}`)
    t.ok(on.worst >= 0.8, `${on.where}; worst ÷ all ${on.worst.toFixed(2)}`)
    t.ok(on.p95 <= 1, `${on.where}; p95 of TTFT ÷ limit ${on.p95.toFixed(2)}`)
  }
})

t.test('at light load nobody is turned away, and with equal lengths nobody once the size of a prompt is known', async t => {
  t.equal(judged(0.2, { balance: true }).turnedAway, 0)
  for (const overload of [2, 4]) {
    const [on, off] = [judged(overload, { balance: true, equal: true }), judged(overload, { balance: false, equal: true })]
    t.equal(on.turnedAway, 0)
    t.ok(Math.abs(on.work / off.work - 1) < 0.01, `${overload}×: good work ÷ capacity ${on.work.toFixed(3)}, without ${off.work.toFixed(3)}`)
  }
})
