import t from 'tap'
import type { Test } from 'tap'
import { representativeBlocks, logRange, logTicks, thin, thinKeepingPeaks } from './charts/data.js'
import { SIGNALS } from './charts/signals.js'
import { renderCharts } from './charts.js'
import { fakeRun } from './testing.js'
import type { Evidence, Result } from '../types.js'

const { evidence, result } = fakeRun(2)

function sound (t: Test, name: string, run: { evidence: Evidence, result: Result }): void {
  for (const chart of renderCharts(run.evidence, run.result)) {
    for (const svg of [chart.wide, chart.narrow]) {
      t.match(svg, /^<svg[^>]*viewBox[\s\S]*<\/svg>$/, `${name}: ${chart.id}`)
      t.notMatch(svg, /NaN|undefined|Infinity|https?:/, `${name}: ${chart.id} has no broken number`)
      t.notMatch(svg, /="[^"]*"[^\s/>]/, `${name}: ${chart.id} has no quotation mark inside an attribute`)
    }
  }
}

t.test('every chart draws whatever there is', async (t) => {
  const bare = evidence.blocks.map((block) => ({ ...block, samples: [], records: [] }))
  const silent = evidence.blocks.map((block) => ({ ...block, calls: [] }))
  const oneArm = evidence.blocks.filter((block) => block.evidence.plan.condition === 'after')
  const refused = evidence.blocks.map((block) => ({ ...block, calls: block.calls.map(({ firstMs, lastMs, ...call }) => ({ ...call, outcome: 'refused' as const, itlMs: [] })) }))
  const cases: Record<string, { evidence: Evidence, result: Result }> = {
    full: fakeRun(8),
    'zero blocks': fakeRun(0),
    'one pair': fakeRun(1),
    'no samples, no records': { evidence: { ...evidence, blocks: bare }, result },
    'no calls': { evidence: { ...evidence, blocks: silent }, result },
    'one arm only': { evidence: { ...evidence, blocks: oneArm }, result: { ...result, blocks: result.blocks.filter((block) => block.condition === 'after'), contrasts: [] } },
    'all refused': { evidence: { ...evidence, blocks: refused }, result },
    'no block counts': { evidence, result: { ...result, blocks: result.blocks.map((block) => ({ ...block, valid: false })) } },
    'no ratios': { evidence, result: { ...result, contrasts: result.contrasts.map((contrast) => ({ ...contrast, ratio: null, ci95: null })) } },
    'ratios out of all bounds': { evidence, result: { ...result, contrasts: result.contrasts.map((contrast) => ({ ...contrast, ratio: 0, ci95: [0, 1e9] as const })) } },
    'interval from zero': { evidence, result: { ...result, contrasts: result.contrasts.map((contrast) => ({ ...contrast, ratio: 2, ci95: [0, 9] as const })) } },
    'no limit': { evidence, result: { ...result, workload: { ...result.workload, ttftLimitMs: {}, rampSeconds: 0 } } }
  }
  for (const [name, run] of Object.entries(cases)) sound(t, name, run)
})

t.test('the curves end where calls had no first token, and say so', async (t) => {
  const ecdf = renderCharts(evidence, result).find((chart) => chart.id === 'ecdf')?.wide ?? ''
  const offered = result.counts.filter((count) => count.condition === 'after').reduce((sum, count) => sum + count.n, 0)
  const answered = result.counts.filter((count) => count.condition === 'after' && count.outcome === 'answered').reduce((sum, count) => sum + count.n, 0)
  t.match(ecdf, `${Number((answered / offered * 100).toPrecision(3))}\u00a0% got`)
  t.match(ecdf, 'limit 1,500 ms')
})

t.test('the curves have a band of resampled blocks, and none where there is one block', async (t) => {
  const bands = (run: { evidence: Evidence, result: Result }): number => (renderCharts(run.evidence, run.result).find((chart) => chart.id === 'ecdf')?.wide.match(/fill-opacity="0\.14"|opacity="0\.14"/g) ?? []).length
  t.equal(bands(fakeRun(8)), 2, 'one for each condition')
  t.equal(bands(fakeRun(1)), 0)
})

t.test('latency on the time axis: the first token at its intended send, and the longest gap that ends in each quarter of a second', async (t) => {
  const [block] = evidence.blocks
  const [call] = block?.calls.filter(({ phase }) => phase === 'load') ?? []
  if (block === undefined || call === undefined) throw new Error('the fake run has calls')
  const { loadFromMs } = block.evidence
  const calls = [{ ...call, intendedMs: loadFromMs + 1000, firstMs: loadFromMs + 1250, itlMs: [10, 40, 20, 500] }, { ...call, intendedMs: loadFromMs + 500, firstMs: loadFromMs + 600, itlMs: [] }]
  const points = (title: string) => SIGNALS.find((signal) => signal.title.startsWith(title))?.points({ ...block, calls }).map(([second, value]) => [Number(second.toFixed(3)), Number(value.toFixed(3))])
  t.same(points('time to first token'), [[0.5, 100], [1, 250]])
  t.same(points('longest gap'), [[1.3, 40], [1.82, 500]])
})

t.test('the pair that is shown is the one with the median gain', async (t) => {
  const { evidence, result } = fakeRun(8)
  const shown = representativeBlocks(evidence, result)
  const good = (pair: number, arm: string): number => result.blocks.find((block) => block.pair === pair && block.condition === arm)?.goodPerSecond ?? 0
  const gains = Array.from({ length: 8 }, (_, index) => good(index + 1, 'after') / good(index + 1, 'before')).sort((a, b) => a - b)
  const pair = shown.get('before')?.evidence.plan.pair ?? 0
  t.equal(shown.get('after')?.evidence.plan.pair, pair)
  t.equal(good(pair, 'after') / good(pair, 'before'), gains[3])
})

t.test('counters become rates, a counter that starts again makes no negative rate', async (t) => {
  const [block] = evidence.blocks
  if (block === undefined) throw new Error('the fake run has blocks')
  const at = (seconds: number, cpuUsec: number) => ({
    atMs: block.evidence.loadFromMs + seconds * 1000,
    samplerCpuUsec: 0,
    process: { rssBytes: 0, minorFaults: 0, majorFaults: 0, voluntarySwitches: 0, involuntarySwitches: 0, threads: 1, cpuUsec }
  })
  const cpu = SIGNALS.find((signal) => signal.title.startsWith('CPUs used'))
  t.same(cpu?.points({ ...block, samples: [at(0, 0), at(1, 500_000), at(2, 100), at(4, 1_000_100)] }), [[1, 0.5], [4, 0.5]])
  const faults = SIGNALS.find((signal) => signal.title.startsWith('read from disk'))
  t.same(faults?.points({ ...block, samples: [at(0, 0), at(1, 1)] }), [])
})

t.test('thinning and ticks', async (t) => {
  const points = Array.from({ length: 1000 }, (_, index): [number, number] => [index, index === 501 ? 99 : 0])
  t.ok(thinKeepingPeaks(points, 100).some(([, value]) => value === 99))
  t.ok(thinKeepingPeaks(points, 100).length <= 100)
  t.same([thin(points, 10)[0], thin(points, 10).at(-1)], [points[0], points.at(-1)])
  t.same(logTicks(1, 10, 9), [1, 2, 5, 10])
  t.same(logTicks(1, 1000, 5), [1, 10, 100, 1000])
  t.same(logRange([3, 70]), [2, 100])
  t.same(logRange([]), [1, 10])
  t.same(logRange([5]), [5, 10])
})
