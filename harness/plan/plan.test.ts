import t from 'tap'
import { abba, limitMultiple, makePlan, planBytes, plannedSeconds, type PlanInput } from './plan.js'
import { presets } from './presets.js'
import { defaultClasses, parseMix, parseRate } from './workload.js'

const input: PlanInput = {
  experiment: 'admission',
  question: 'does it help?',
  preset: presets.laptop,
  pairs: 8,
  seed: 7,
  conditions: [{ id: 'before', title: 'off', policies: [] }, { id: 'after', title: 'on', policies: ['admission'] }],
  classes: defaultClasses,
  rate: { timesCapacity: 2 },
  slots: 4,
  calibration: { unloadedTtftMs: { default: 101 }, capacityPerSecond: 4, answers: 24 },
  predictions: [],
  createdAt: '2026-01-01T00:00:00.000Z'
}

t.test('blocks run in ABBA order, each pair on one trace', async t => {
  t.strictSame(abba(3, 7).map(block => `${block.index}:${block.pair}:${block.arm}`), ['1:1:before', '2:1:after', '3:2:after', '4:2:before', '5:3:before', '6:3:after'])
  for (const pair of [1, 2, 3]) {
    t.equal(new Set(abba(3, 7).filter(block => block.pair === pair).map(block => block.traceSeed)).size, 1)
  }
  t.equal(new Set(abba(8, 7).map(block => block.traceSeed)).size, 8, 'another pair, another trace')
})

t.test('limit, ramp and drain follow from the unloaded TTFT, the rate from the capacity', async t => {
  const { workload } = makePlan(input)
  t.equal(workload.ttftLimitMs.default, Math.ceil(limitMultiple * 101 / 50) * 50)
  t.equal(workload.ratePerSecond, 8)
  t.equal(workload.rampSeconds, 1.7)
  t.equal(makePlan({ ...input, rate: { perSecond: 3 } }).workload.ratePerSecond, 3)
  t.equal(makePlan({ ...input, ttftLimitMs: 700 }).workload.ttftLimitMs.default, 700)
})

t.test('a plan says beforehand what it cannot support', async t => {
  t.strictSame(makePlan(input).expected, { offeredPerArm: 621, answeredPerArm: 310, unsupported: [], verdict: true })
  const smoke = makePlan({ ...input, preset: presets.smoke, pairs: 2 })
  t.equal(smoke.expected.verdict, false)
  t.match(smoke.expected.unsupported, [/p95.*59/, /p99.*299/])
  const slow = makePlan({ ...input, calibration: { ...input.calibration, capacityPerSecond: 3 } })
  t.match(slow.expected.unsupported, [/p99/])
})

t.test('the same input gives the same bytes and hash; another seed another', async t => {
  t.equal(planBytes(makePlan(input)).sha256, planBytes(makePlan(input)).sha256)
  t.not(planBytes(makePlan(input)).sha256, planBytes(makePlan({ ...input, seed: 8 })).sha256)
})

t.test('presets keep their promised lengths for a usual limit', async t => {
  t.ok(plannedSeconds(makePlan(input)) < 360, 'laptop under 6 minutes')
  t.ok(plannedSeconds(makePlan({ ...input, preset: presets.smoke, pairs: 2 })) < 75, 'smoke under 90 s with its calibration')
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
