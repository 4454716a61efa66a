import t from 'tap'
import { normal, seededRandom } from '../../stats/random.js'
import { callsCsv } from '../../render/csv.js'
import { explainedSection } from '../../render/sections/explained.js'
import { analyse } from '../analyse.js'
import { simulateStreams } from '../testing-streams.js'
import type { Block, CallSample, Evidence, ExplainedShare, OsSample, StallSource } from '../../types.js'
import { osTracks } from './counters.js'
import { explainedShare, type Wait } from './explained.js'
import { explainedOf } from './of-run.js'

interface Planted {
  /** Of the gaps, at random: how many are stalls, and how long. */
  readonly share: number
  readonly ms: number
  /** What the kernel counts of each stall, by source, 0 to 1. */
  readonly seen: Partial<Record<'throttled' | 'cpuFull' | 'runQueue', number>>
  /** Counted all the time, per millisecond, stall or not. */
  readonly always: number
  readonly everyMs: number
  readonly seed: number
}

const nothing: Planted = { share: 0.02, ms: 300, seen: {}, always: 0, everyMs: 50, seed: 1 }
const base = simulateStreams({ conditions: [{ id: 'none', gapMs: 10 }, { id: 'dose', gapMs: 10, baseline: 'none' }], repeats: 3 })

/** Streams of 600 tokens with planted stalls in the condition `dose`, and counters of llama-server's group that saw as much of them as is said. */
function planted (changed: Partial<Planted>): Evidence {
  const options = { ...nothing, ...changed }
  return { ...base, blocks: base.blocks.map(block => withStalls(block, options)) }
}

function withStalls (block: Block, { share, ms, seen, always, everyMs, seed }: Planted): Block {
  const random = seededRandom(seed * 1000 + block.evidence.plan.index)
  const fromMs = block.evidence.loadFromMs
  const dosed = block.evidence.plan.condition === 'dose'
  const stalls: Array<{ readonly fromMs: number, readonly ms: number }> = []
  let atMs = fromMs + 30
  const itlMs = Array.from({ length: 600 }, () => {
    const stall = dosed && random() < share ? ms : 0
    if (stall > 0) stalls.push({ fromMs: atMs, ms: stall })
    const gap = 10 * Math.exp(0.05 * normal(random)) + stall
    atMs += gap
    return gap
  })
  const call: CallSample = { phase: 'load', seq: 0, cls: 'stream', intendedMs: fromMs, sentMs: fromMs, firstMs: fromMs + 30, lastMs: atMs, doneMs: atMs, status: 200, outcome: 'answered', chunks: 601, itlMs }
  const stalledMs = (until: number): number => stalls.reduce((sum, stall) => sum + Math.max(0, Math.min(stall.ms, until - stall.fromMs)), 0)
  const counted = (until: number, part = 0): number => Math.round(1000 * (part * stalledMs(until) + always * (until - fromMs)))
  const samples = Array.from({ length: Math.ceil((atMs - fromMs) / everyMs) + 2 }, (_, i): OsSample => {
    const now = fromMs + (i - 0.5) * everyMs
    return {
      atMs: now,
      samplerCpuUsec: 0,
      process: { rssBytes: 1, minorFaults: 0, majorFaults: i, cpuUsec: 0, threads: 1, ...('runQueue' in seen ? { runQueueWaitNs: 1000 * counted(now, seen.runQueue) } : {}) },
      cgroup: { ...('throttled' in seen ? { 'cpu.stat.throttled_usec': counted(now, seen.throttled) } : {}), ...('cpuFull' in seen ? { 'cpu.pressure.full_usec': counted(now, seen.cpuFull) } : {}) }
    }
  })
  const { groupCountersAtStart, groupCountersAtEnd, osAtStart, osAtEnd, ...evidence } = block.evidence
  return { ...block, evidence: { ...evidence, judgedToMs: atMs + 1, drainedAtMs: atMs + 1 }, calls: [call], samples }
}

/** About the gaps of the dosed condition. */
function found (evidence: Evidence): ExplainedShare {
  const one = explainedOf(evidence, evidence.blocks).find(each => each.metric === 'itl' && each.condition === 'dose')
  if (one === undefined) throw new Error('nothing about the gaps')
  return one
}

function shareOf (one: ExplainedShare, source: StallSource): number {
  return one.shares.find(each => each.source === source)?.share ?? NaN
}

t.test('a planted cause is found in the slowest gaps, with an interval; what was not planted is not', async t => {
  const one = found(planted({ seen: { throttled: 1, cpuFull: 1, runQueue: 0 } }))
  t.match(one, { percentile: 'p99', n: 1800 })
  t.ok(one.excessMs > 290 && one.excessMs < 310, `${one.excessMs}`)
  t.ok(shareOf(one, 'throttled') > 0.8, `${shareOf(one, 'throttled')}`)
  t.ok(shareOf(one, 'cpu-full') > 0.8)
  t.ok(shareOf(one, 'run-queue-wait') < 0.02)
  const [lo = NaN, hi = NaN] = one.shares.find(({ source }) => source === 'throttled')?.ci95 ?? []
  t.ok(lo <= shareOf(one, 'throttled') && hi >= shareOf(one, 'throttled') && lo > 0.6)
})

t.test('half of a cause explains half', async t => {
  const share = shareOf(found(planted({ seen: { throttled: 0.5 } })), 'throttled')
  t.ok(share > 0.38 && share <= 0.5, `${share}`)
})

t.test('no cause: next to nothing, also where a source counts all the time, whatever the seed', async t => {
  for (const seed of [1, 2, 3, 4, 5]) {
    t.ok(shareOf(found(planted({ seed, seen: { throttled: 0 } })), 'throttled') < 0.02)
    t.ok(shareOf(found(planted({ seed, seen: { throttled: 0 }, always: 0.4 })), 'throttled') < 0.02, 'what is always there explains no excess')
  }
})

t.test('random counts that have nothing to do with the waits add up to nothing on average', async t => {
  const random = seededRandom(3)
  const shares = Array.from({ length: 200 }, () => {
    const waits = Array.from({ length: 400 }, (_, i): Wait => ({ block: i % 4, ms: 10 * Math.exp(normal(random)), stallMs: { 'run-queue-wait': Math.max(0, 2 * normal(random)) } }))
    return explainedShare({ condition: 'c', metric: 'itl', waits, sources: ['run-queue-wait'] })?.shares[0]?.share ?? NaN
  })
  t.ok(shares.reduce((sum, share) => sum + share, 0) / shares.length < 0.02)
})

t.test('a cause of a whole condition is found in its calls against the baseline; what runs all the time is not', async t => {
  // Three calls a condition carry no median: two seeds give six.
  const twice = (changed: Partial<Planted>): Block[] => [1, 2].flatMap(seed => planted({ ...changed, seed }).blocks.map(block =>
    ({ ...block, evidence: { ...block.evidence, plan: { ...block.evidence.plan, index: block.evidence.plan.index + 100 * seed } } })))
  const calls = (changed: Partial<Planted>, condition: string): ExplainedShare | undefined =>
    explainedOf(base, twice(changed)).find(each => each.metric === 'request-latency' && each.condition === condition)
  const one = calls({ seen: { throttled: 1 } }, 'dose')
  t.match(one, { percentile: 'p50', n: 6 })
  t.match(explainedOf(base, planted({ seen: { throttled: 1 } }).blocks).find(each => each.metric === 'request-latency'), { condition: 'dose', percentile: 'all', n: 3, tail: 3 })
  t.ok(one !== undefined && shareOf(one, 'throttled') > 0.95, JSON.stringify(one))
  const innocent = calls({ seen: { throttled: 0 }, always: 0.4 }, 'dose')
  t.ok(innocent !== undefined && shareOf(innocent, 'throttled') < 0.02, JSON.stringify(innocent))
  t.equal(calls({ seen: { throttled: 1 } }, 'none'), undefined, 'six calls without a baseline have no tail')
})

t.test('a source that is read too seldom says so instead of a number', async t => {
  const [one] = found(planted({ seen: { throttled: 1 }, everyMs: 400 })).shares
  t.match(one, { source: 'throttled', share: null, because: /read too seldom for waits of 3\d\d ms/ })
})

t.test('sources that were not read are not there; a group that is shared counts for nothing', async t => {
  t.same(found(planted({ seen: { runQueue: 1 } })).shares.map(({ source }) => source), ['run-queue-wait'])
  const evidence = planted({ seen: { throttled: 1, runQueue: 1 } })
  const shared = { ...evidence, blocks: evidence.blocks.map(block => { const { group, ...rest } = block.evidence; return { ...block, evidence: rest } }) }
  t.same(found(shared).shares.map(({ source }) => source), ['run-queue-wait'])
})

t.test('times summed over CPUs and threads are divided by all of them', async t => {
  const evidence = planted({ seen: { throttled: 1, runQueue: 1 } })
  const two: Evidence = { ...evidence, blocks: evidence.blocks.map(block => ({ ...block, evidence: { ...block.evidence, serverCommandLine: ['llama-server', '-t', '2'] } })) }
  for (const source of ['throttled', 'run-queue-wait'] as const) {
    const [all, half] = [shareOf(found(evidence), source), shareOf(found(two), source)]
    t.ok(Math.abs(half - all / 2) < 0.05, `${half} of ${all}`)
  }
})

t.test('between readings a counter grows evenly; outside of them nothing is made up', async t => {
  const evidence = { ...base.blocks[0]?.evidence, loadFromMs: 0, drainedAtMs: 1000 } as Block['evidence']
  const { groupCountersAtStart, groupCountersAtEnd, osAtStart, osAtEnd, ...bare } = evidence
  const at = (atMs: number, usec: number): OsSample => ({ atMs, samplerCpuUsec: 0, cgroup: { 'cpu.stat.throttled_usec': usec } })
  const tracks = osTracks({ evidence: bare, samples: [at(100, 0), at(200, 50_000), at(300, 50_000), at(250, 40_000), at(500, 90_000)] })
  t.same(tracks.inside(100, 200), { throttledMs: 50 })
  t.same(tracks.inside(110, 200), { throttledMs: 45 })
  t.same(tracks.inside(150, 200), {}, 'not read near its beginning')
  t.same(tracks.inside(200, 300), { throttledMs: 0 }, 'a reading that fell back adds nothing')
  t.same(tracks.inside(100, 500), { throttledMs: 90 })
  t.same(tracks.inside(300, 540), { throttledMs: 40 }, 'read near its end')
  t.same(tracks.inside(300, 600), {}, 'not read near its end')
  t.same(tracks.inside(340, 460), {}, 'nor near either')
  t.equal(tracks.has('throttledMs'), true)
  t.equal(tracks.has('majorFaults'), false)
  t.same(osTracks({ evidence: { ...bare, group: { version: 'v1', path: 'x' }, groupCountersAtStart: { 'cpu.stat.throttled_usec': 1000 }, groupCountersAtEnd: { 'cpu.stat.throttled_usec': 9000 } }, samples: [at(500, 77_000)] }).inside(0, 1000),
    { throttledMs: 8 }, 'of version 1 only what was read of it before and after')
})

t.test('in result, report and calls.csv', async t => {
  const evidence = planted({ seen: { throttled: 1 } })
  const result = analyse(evidence)
  t.ok((result.explained ?? []).some(({ condition, metric }) => condition === 'dose' && metric === 'itl'))
  t.match(explainedSection(result)?.toString(), /throttled \(cpu\.stat\): \d\d(\.\d)?\u00a0% \(/)
  t.equal(analyse(evidence, { cells: false }).explained, undefined)
  t.equal(explainedSection({ ...result, explained: [] }), undefined)
  const [header = '', ...lines] = callsCsv(evidence).trim().split('\r\n')
  const column = header.split(',').indexOf('throttled_ms')
  const dosed = lines.filter(line => line.includes(',dose,')).map(line => Number(line.split(',')[column]))
  t.ok(dosed.every(ms => ms > 1000), `${dosed.join()}`)
  t.ok(lines.filter(line => line.includes(',none,')).every(line => line.split(',')[column] === '0'))
})
