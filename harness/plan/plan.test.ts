import t from 'tap'
import type { Condition, Manifest } from '../types.js'
import { plannedSeconds } from './duration.js'
import { limitMultiple, openLoopDraft, type OpenLoopInput } from './open-loop-plan.js'
import { blocksInOrder } from './order.js'
import { planBytes, withPredictions } from './plan.js'
import { presets } from './presets.js'
import { calibratedServer, streamsDraft, type StreamsInput } from './streams-plan.js'
import { defaultClasses, parseMix, parseRate } from './workload.js'

const condition = (id: string, rest: Partial<Condition> = {}): Condition => ({ id, title: id, policies: [], knobs: [], factors: {}, ...rest })

const common = {
  experiment: 'admission',
  question: 'does it help?',
  preset: presets.laptop,
  seed: 7,
  quiet: false,
  effects: [],
  claims: [],
  createdAt: '2026-01-01T00:00:00.000Z'
}

const input: OpenLoopInput = {
  ...common,
  repeats: 8,
  design: 'pairs',
  conditions: [condition('before'), condition('after', { policies: ['admission'], baseline: 'before' })],
  classes: defaultClasses,
  rate: { timesCapacity: 2 },
  slots: 4,
  calibration: { unloadedTtftMs: { default: 101 }, capacityPerSecond: 4, answers: 24 }
}

const manifest = { model: { name: 'tiny' }, server: { slots: 4, threads: 2 } } as Manifest
const makePlan = (changed: Partial<OpenLoopInput> = {}) => withPredictions(openLoopDraft({ ...input, ...changed }), manifest)

t.test('pairs run in ABBA order, each on one trace', async t => {
  const abba = (pairs: number) => blocksInOrder('pairs', ['before', 'after'], pairs, 7)
  t.strictSame(abba(3).map(block => `${block.index}:${block.pair}:${block.condition}`), ['1:1:before', '2:1:after', '3:2:after', '4:2:before', '5:3:before', '6:3:after'])
  for (const pair of [1, 2, 3]) {
    t.equal(new Set(abba(3).filter(block => block.pair === pair).map(block => block.traceSeed)).size, 1)
  }
  t.equal(new Set(abba(8).map(block => block.traceSeed)).size, 8, 'another pair, another trace')
})

t.test('a 2×2 is balanced: each condition once at each place and after each other one in four repeats', async t => {
  const ids = ['none', 'a', 'b', 'a+b']
  for (const seed of [0, 1, 7]) {
    const rows = [0, 1, 2, 3].map(row => blocksInOrder('factorial', ids, 4, seed).filter(block => block.pair === row + 1).map(block => block.condition))
    for (const place of [0, 1, 2, 3]) t.strictSame(rows.map(row => row[place]).sort(), [...ids].sort())
    const follows = rows.flatMap(row => row.slice(1).map((id, i) => `${row[i]} then ${id}`))
    t.equal(new Set(follows).size, 12, `seed ${seed}`)
  }
})

t.test('a sweep is shuffled anew within each repeat, by the seed', async t => {
  const ids = ['a', 'b', 'c', 'd', 'e']
  const order = (seed: number) => blocksInOrder('sweep', ids, 3, seed).map(block => block.condition)
  t.strictSame(order(1), order(1))
  t.notSame(order(1), order(2))
  for (const repeat of [0, 1, 2]) t.strictSame(order(1).slice(5 * repeat, 5 * repeat + 5).sort(), ids)
  t.notSame(order(1).slice(0, 5), order(1).slice(5, 10))
  t.strictSame(blocksInOrder('sweep', ids, 2, 3).map(block => block.pair), [1, 1, 1, 1, 1, 2, 2, 2, 2, 2])
})

t.test('limit, ramp and drain follow from the unloaded TTFT, the rate from the capacity', async t => {
  const { workload } = makePlan()
  t.equal(workload.ttftLimitMs.default, Math.ceil(limitMultiple * 101 / 50) * 50)
  t.equal(workload.ratePerSecond, 8)
  t.equal(workload.rampSeconds, 1.3)
  t.equal(makePlan({ rate: { perSecond: 3 } }).workload.ratePerSecond, 3)
  t.equal(makePlan({ ttftLimitMs: 700 }).workload.ttftLimitMs.default, 700)
})

t.test('a plan says beforehand what it cannot support', async t => {
  t.strictSame(makePlan().expected, { offeredPerCondition: 621, answeredPerCondition: 310, unsupported: [], verdict: true })
  const smoke = makePlan({ preset: presets.smoke, repeats: 2 })
  t.equal(smoke.expected.verdict, false)
  t.match(smoke.expected.unsupported, [/p95.*59/, /p99.*299/])
  const slow = makePlan({ calibration: { ...input.calibration, capacityPerSecond: 3 } })
  t.match(slow.expected.unsupported, [/p99/])
})

t.test('the same input gives the same bytes and hash; another seed another', async t => {
  t.equal(planBytes(makePlan()).sha256, planBytes(makePlan()).sha256)
  t.not(planBytes(makePlan()).sha256, planBytes(makePlan({ seed: 8 })).sha256)
})

t.test('the bands of the named claims are in the plan; an unknown claim is an error', async t => {
  t.strictSame(makePlan().predictions, [])
  t.equal(makePlan({ claims: ['admission-keeps-capacity-good'] }).predictions.find(prediction => prediction.id === 'sockets-after')?.hi, 8, 'slots + 4')
  t.throws(() => makePlan({ claims: ['magic'] }), /no claim "magic"; there are admission-keeps-capacity-good/)
})

const streams: StreamsInput = {
  ...common,
  repeats: 3,
  design: 'sweep',
  conditions: [condition('none-t2', { threads: 2 }), condition('q-t1', { threads: 1, baseline: 'none-t2' }), condition('q-run')],
  workload: { kind: 'streams', clients: 1, calls: 2, promptWords: 8, predictTokens: 200, warmupCalls: 1, patienceSeconds: 60 },
  primary: 'itl-p99',
  model: 'tiny',
  calibration: {
    servers: [{ model: 'tiny', threads: 2, tokensPerSecond: 100, ttftMs: 9, gapMs: 10, cpusUsed: 1.75 }, { model: 'tiny', threads: 1, tokensPerSecond: 50, ttftMs: 9, gapMs: 20, cpusUsed: 1.1 }]
  }
}

t.test('streams: a sweep has no primary and describes below 8 repeats; a comparison is judged by the outcome that it names', async t => {
  const sweep = streamsDraft(streams)
  t.notOk(sweep.outcomes.some(outcome => outcome.primary))
  t.match(sweep.expected, { answeredPerCondition: 6, verdict: false, unsupported: [] })
  t.equal(streamsDraft({ ...streams, repeats: 8 }).expected.verdict, true)
  t.match(streamsDraft({ ...streams, workload: { ...streams.workload, calls: 1 } }).expected.unsupported, [/p99 of the gaps of a block \(needs 299, 199 expected\)/])
  const pairs = streamsDraft({ ...streams, design: 'pairs', primary: 'ttft-p50' })
  t.strictSame(pairs.outcomes.filter(outcome => outcome.primary).map(outcome => outcome.metric), ['ttft-p50'])
})

t.test('streams: length and calibrated server of each condition', async t => {
  const plan = withPredictions(streamsDraft({ ...streams, repeats: 1 }), manifest)
  t.strictSame(plan.conditions.map(each => calibratedServer(plan, each, manifest)?.cpusUsed), [1.75, 1.1, 1.75])
  t.equal(Math.round(plannedSeconds(plan, manifest)), Math.round(3 * 3 + 600 / 100 + 600 / 50 + 600 / 100))
})

t.test('presets keep their promised lengths for a usual limit', async t => {
  t.ok(plannedSeconds(makePlan(), manifest) < 420, 'laptop under 7 minutes')
  t.ok(plannedSeconds(makePlan({ preset: presets.smoke, repeats: 2 }), manifest) < 75, 'smoke under 90 s with its calibration')
})

t.test('the machine is looked at before and after the load, and for longer beside a long window; a smoke run has no time for it', t => {
  const loops = (name: keyof typeof presets, seconds: number) => {
    const { capacityCalls, capacityAgain } = makePlan({ preset: presets[name], traffic: { windowSeconds: { smoke: seconds, laptop: seconds, overnight: seconds } } }).workload
    return [capacityCalls, capacityAgain]
  }
  t.strictSame([loops('laptop', 29), loops('laptop', 30), loops('smoke', 60), loops('overnight', 20)], [[3, true], [6, true], [2, undefined], [6, true]])
  t.end()
})

t.test('a comparison has half as many pairs again to spare, in the order of its own; smoke, a 2×2 and knobs have none', async t => {
  const { blocks, spare } = makePlan()
  t.same(spare?.blocks.map(({ index, pair, condition }) => `${index}:${pair}:${condition}`), ['17:9:before', '18:9:after', '19:10:after', '20:10:before', '21:11:before', '22:11:after', '23:12:after', '24:12:before'])
  t.equal(new Set([...blocks, ...spare?.blocks ?? []].map(({ traceSeed }) => traceSeed)).size, 12, 'each with arrivals of its own')
  t.equal(makePlan({ repeats: 3 }).spare?.blocks.length, 4)
  const four = ['none', 'a', 'b', 'a+b'].map(id => condition(id))
  t.same([makePlan({ preset: presets.smoke }).spare, makePlan({ design: 'factorial', conditions: four }).spare, makePlan({ conditions: [condition('before'), condition('after', { knobs: ['pinning'], baseline: 'before' })] }).spare], [undefined, undefined, undefined])
})

t.test('--mix and --rate', async t => {
  t.match(parseMix('short:32/16:3,long:300/8:1'), [{ name: 'short', promptWords: 32, maxTokens: 16, share: 0.75 }, { name: 'long', share: 0.25 }])
  for (const [text, message] of [['x', /part 1: "x" is not NAME/], ['a:0/1:1', /words is 0; allowed are 1 to 4096/], ['a:1/9999:1', /tokens is 9999/], ['a:1/1:0', /share is 0/], ['a:1/1:1,a:2/2:1', /twice: a, a/]] as const) {
    t.throws(() => parseMix(text), { name: 'UsageError', message })
  }
  t.strictSame(parseRate('4x'), { timesCapacity: 4 })
  t.strictSame(parseRate('6.5'), { perSecond: 6.5 })
  for (const text of ['', 'x', '0', '0x', '-1', '101x', '20000', '2 x']) t.throws(() => parseRate(text), /is not a rate; give a multiple/)
})

t.test('traffic: shares sum to 1, limits and leavers follow the calibration, a burst lasts until the end and is left out on the quiet side', async t => {
  const classes = [
    { name: 'a', promptWords: 8, maxTokens: 4, share: 3, caller: 'one', leave: { share: 0.3, shareOfUnloadedTtft: 0.5 } },
    { name: 'b', promptWords: { median: 40, sigma: 1, from: 4, to: 200 }, maxTokens: 4, share: 1, caller: 'two' }
  ]
  const traffic = { burst: { rate: '2x', fromSeconds: 3, shares: { b: 1 } }, limitMultiple: 3, rampSeconds: 5, windowSeconds: { smoke: 4, laptop: 20, overnight: 60 }, grants: { two: { maxPlaces: 3 } } }
  const changed = { classes, traffic, rate: { timesCapacity: 0.5 }, calibration: { unloadedTtftMs: { a: 100, b: 200 }, capacityPerSecond: 4, answers: 24 } }
  const { workload, expected } = makePlan(changed)
  t.match(workload, {
    classes: [{ share: 0.75, leave: { share: 0.3, afterMs: 50 } }, { share: 0.25, promptWords: { median: 40 } }],
    burst: { ratePerSecond: 8, fromSeconds: 3, seconds: 22, shares: { b: 1 } },
    grants: { two: { maxPlaces: 3 } },
    ttftLimitMs: { a: 300, b: 600 },
    rampSeconds: 5,
    windowSeconds: 20
  })
  t.equal(expected.offeredPerCondition, 8 * 20 * (2 + 8))
  t.equal(expected.answeredPerCondition, 8 * 20 * 4)
  t.notOk('burst' in makePlan({ ...changed, quiet: true }).workload)
  const withLong = makePlan({ ...changed, classes: [...classes, { name: 'long', promptWords: 400, maxTokens: 4, share: 1, interference: true }] }).workload
  t.same(withLong.ttftLimitMs, { a: 300, b: 600, long: 600 }, 'calls that interfere were not calibrated: the longest limit of the others is theirs')
  t.equal(withLong.drainSeconds, workload.drainSeconds)
  t.same(makePlan({ ...changed, traffic: { ...traffic, burst: { rate: '2x', fromSeconds: 3, seconds: 4 } } }).workload.burst, { ratePerSecond: 8, fromSeconds: 3, seconds: 4, shares: { a: 0.75, b: 0.25 } })
})

t.test('workers: so many for each slot; they offer what is answered', async t => {
  const plan = makePlan({ traffic: { workers: { perSlot: 8 } } })
  t.equal(plan.workload.workers, 32)
  t.equal(plan.expected.offeredPerCondition, plan.expected.answeredPerCondition)
  t.equal(makePlan({ traffic: { workers: { perSlot: 0.1 } } }).workload.workers, 1)
})

t.test('conversations: so many for each slot, judged by their time to first token; unrelated prompts on the quiet side', async t => {
  const traffic = { conversations: { perSlot: 2, turns: 3, firstWords: 40, turnWords: 8, answerTokens: 5, thinkSeconds: 1, thinkSpread: 0.1 } }
  const plan = makePlan({ traffic })
  t.same(plan.workload.conversations, { count: 8, turns: 3, systemWords: 0, firstWords: 40, turnWords: 8, answerTokens: 5, thinkSeconds: 1, thinkSpread: 0.1, related: true })
  t.same(plan.outcomes.filter(({ primary }) => primary).map(({ metric }) => metric), ['ttft-answered-p50'])
  t.equal(makePlan({ traffic, quiet: true }).workload.conversations?.related, false)
  const predicted = (changed: Partial<OpenLoopInput>) => new Map(makePlan({ traffic, claims: ['prefix-cache'], ...changed }).predictions.map(({ id, lo, hi }) => [id, [lo, hi]]))
  t.same(predicted({}).get('cached-share-to-best'), [0.8, 1.05])
  const kept = { conditions: input.conditions.map(each => ({ ...each, knobs: ['cache-ram=8192'] })) }
  for (const changed of [{ quiet: true }, kept]) t.same(predicted(changed).get('ttft-p50-after-to-before'), [0.8, 1.25], 'nothing to gain: equivalent')
})
