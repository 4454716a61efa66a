import t from 'tap'
import { analyse } from '../analyse/analyse.js'
import { isStreams } from '../analyse/plan-kind.js'
import { simulateStreams, type SimulatedCondition, type StreamsSimulation } from '../analyse/testing-streams.js'
import { doseFactors, doseMetrics, doseSeries, levels, lineFactors } from './charts/dose-data.js'
import { renderCharts } from './charts.js'
import { conditionColumns } from './condition-table.js'
import { blocksCsv, cellsCsv } from './csv.js'
import { bandLeg } from '../analyse/claims/leg.js'
import { headline } from './headline.js'
import { renderHtml } from './html.js'
import { renderMarkdown } from './markdown.js'
import { renderSummary } from './summary.js'
import { columns } from './text.js'
import type { Claim, Evidence, Leg, StreamsResult } from '../types.js'

interface Run { readonly evidence: Evidence, readonly result: StreamsResult }

function run (options: Partial<StreamsSimulation> = {}, change: (evidence: Evidence) => Evidence = evidence => evidence): Run {
  const evidence = change(simulateStreams(options))
  const result = analyse(evidence)
  if (!isStreams(result)) throw new Error('streams expected')
  return { evidence, result }
}

const grid: SimulatedCondition[] = ([[1, 1.1], [2, 1.75]] as const).flatMap(([threads, cpusUsed]) => [
  { id: `none-t${threads}`, factors: { threads }, gapMs: 9 },
  ...([[500, 1000], [250, 500], [125, 250], [800, 1000]] as const).map(([quotaMs, periodMs]) => ({
    id: `q${quotaMs}p${periodMs}-t${threads}`, baseline: `none-t${threads}`, factors: { quotaMs, periodMs, share: quotaMs / periodMs, threads }, gapMs: 9, quota: { quotaMs, periodMs, cpusUsed }
  }))
])
const killed: SimulatedCondition[] = [
  { id: '90MB', gapMs: 9, factors: { limitMB: 90 } },
  { id: '50MB', gapMs: 30, baseline: '90MB', refaultedPages: 47_055, factors: { limitMB: 50 } },
  { id: '30MB', gapMs: 9, baseline: '90MB', killedAfter: 0.3, factors: { limitMB: 30 } },
  { id: '20MB', gapMs: 9, baseline: '90MB', killedAfter: 0, factors: { limitMB: 20 } }
]
const leg: Leg = bandLeg('s', 'x', 1, { id: '', metric: '', statement: '', lo: 0, hi: 2 })
const claim: Claim = {
  id: 'stall', statement: 'A quota stalls every stream once a period', predicted: 'within 10 %', status: 'SUPPORTED', application: leg, os: leg, control: leg, mechanism: leg, explanation: 'e', marks: [{ condition: 'q500-p1000', atMs: 600, label: 'predicted stall' }]
}
const cases: Readonly<Record<string, Run>> = {
  sweep: run(),
  'eight conditions in a grid': run({ conditions: grid, repeats: 1 }),
  'enough repeats for verdicts': run({ repeats: 8 }),
  killed: run({ conditions: killed, repeats: 1 }),
  empty: run({}, evidence => ({ ...evidence, blocks: [] })),
  'no samples': run({}, evidence => ({ ...evidence, blocks: evidence.blocks.map(block => ({ ...block, samples: [] })) })),
  pairs: run({ design: 'pairs', conditions: [{ id: 'before', gapMs: 9 }, { id: 'after', gapMs: 7, baseline: 'before' }], repeats: 8 }),
  factorial: run({ design: 'factorial', repeats: 8, conditions: [{ id: 'none', gapMs: 12 }, { id: 'a', gapMs: 10, baseline: 'none' }, { id: 'b', gapMs: 8, baseline: 'none' }, { id: 'a+b', gapMs: 6, baseline: 'none' }] })
}

for (const [name, { evidence, result }] of Object.entries(cases)) {
  t.test(`${name}: every output is sound`, async t => {
    for (const chart of renderCharts(evidence, result)) {
      for (const svg of [chart.wide, chart.narrow]) {
        t.match(svg, /^<svg[^>]*viewBox[\s\S]*<\/svg>$/, chart.id)
        t.notMatch(svg, /NaN|undefined|Infinity|https?:/, `${chart.id} has no broken number`)
      }
    }
    const page = renderHtml(evidence, result)
    const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id)
    t.equal(new Set(ids).size, ids.length, 'every id is unique')
    for (const text of [page, renderMarkdown(result), cellsCsv(result), blocksCsv(result)]) t.notMatch(text, /NaN|undefined|Infinity|\[object/)
    for (const width of [80, 60]) {
      const summary = renderSummary(result, { colour: false, width })
      t.ok(Math.max(...summary.split('\n').map(columns)) <= width)
      t.notMatch(summary, /NaN|undefined|\[object/)
    }
    t.equal(renderHtml(evidence, result), page, 'the same evidence gives the same page')
  })
}

t.test('a sweep without a claim is described, with claims it is their sum', async t => {
  const { result } = run()
  t.match(headline(result), { word: 'DESCRIBED', says: /^tokens\/s [\d.]+ \(q[\w-]+\) to [\d.]+ \(none\), gap p99 / })
  t.match(headline({ ...result, claims: [claim] }), { word: 'SUPPORTED', says: claim.statement, because: /^tokens\/s / })
  t.match(headline({ ...result, claims: [claim, { ...claim, status: 'UNSUPPORTED' }] }), { word: 'UNSUPPORTED', because: /^1 of 2 claims supported/ })
  t.match(renderSummary(result, { colour: false, width: 80 }), /described, not judged: too few repeats/)
  t.notMatch(renderSummary(run({ repeats: 8 }).result, { colour: false, width: 80 }), /described, not judged/)
})

t.test('the table of conditions has doses, gaps, rates, and the counters that moved', async t => {
  const { result } = cases['eight conditions in a grid'] ?? run()
  t.match(conditionColumns(result).map(({ title }) => title).slice(0, 5), ['gap p50 ms', 'gap p95 ms', 'gap p99 ms', 'tokens/s', 'periods throttled'])
  t.match(renderMarkdown(result), '| condition | threads | quotaMs | periodMs | share | gap p50 ms | gap p95 ms | gap p99 ms | tokens/s | periods throttled |')
  const tight = cases.killed?.result ?? result
  const table = new Map(conditionColumns(tight).map(({ title, text }) => [title, tight.conditions.map(({ id }) => text(id))]))
  t.same(table.get('refaulted pages'), ['0', '47,055', '0', '0'])
  t.same(table.get('OOM kills'), ['0', '0', '1', '1'])
  t.same(table.get('calls failed'), ['0', '0', '1', '0'])
  t.same(table.get('tokens/s')?.slice(2), ['–', '–'], 'until a kill is no rate')
  t.notOk(table.has('periods throttled'))
})

t.test('predicted stalls are drawn in the panel of their condition', async t => {
  const { evidence, result } = run()
  const spectrum = (claims: readonly Claim[]): string => renderCharts(evidence, { ...result, claims }).find(chart => chart.id === 'spectrum')?.wide ?? ''
  t.match(spectrum([claim]), 'predicted stall')
  t.notMatch(spectrum([]), 'predicted stall')
})

t.test('lines of a dose-response hold still what can be held still', async t => {
  const { result } = cases['eight conditions in a grid'] ?? run()
  const [gap] = doseMetrics(result)
  if (gap === undefined) throw new Error('there is a metric')
  t.same(doseFactors(result.conditions), ['quotaMs', 'periodMs', 'threads', 'share'])
  t.same(lineFactors(result.conditions, 'periodMs').sort(), ['share', 'threads'], 'at a fixed ratio quota and period go together')
  t.same(lineFactors(result.conditions, 'threads').sort(), ['periodMs', 'quotaMs', 'share'])
  const series = doseSeries(result, 'periodMs', gap)
  const line = series.find(({ name }) => name.includes('share 0.5') && name.includes('threads 2'))
  t.same(line?.points.map(([x]) => x), [250, 500, 1000])
  t.ok(line?.joined)
  t.equal(line?.blocks.length, 3)
  t.same(levels(result, 'periodMs', gap).map(({ name }) => name), ['none-t1', 'none-t2'])
  const twice: StreamsResult = { ...result, conditions: result.conditions.map(condition => ({ ...condition, factors: { threads: condition.factors.threads ?? 0 } })) }
  t.same(doseSeries(twice, 'threads', gap).map(({ joined }) => joined), [false], 'many conditions at one dose are no line')
})

t.test('blocks as a table: doses and counters of the group', async t => {
  const csv = blocksCsv((cases.killed ?? run()).result).split('\r\n')
  t.match(csv[0], /^block,repeat,condition,limitMB,answered,failed,.*oom_kills,server_end,/)
  t.equal(csv.length, 1 + 4 + 1)
  t.ok(csv.some(line => /,30MB,30,0,1,.*,1,"out of memory, SIGKILL, during the load",/.test(line)))
})
