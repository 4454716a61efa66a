import t from 'tap'
import type { Block, Cell, Contrast, Evidence, Result } from '../types.js'
import { analyse } from './analyse.js'
import { isStreams } from './plan-kind.js'
import { simulateStreams, sweepConditions } from './testing-streams.js'

function cell (result: Result, condition: string, metric: string): Cell | undefined {
  return result.cells.find(one => one.condition === condition && one.metric === metric)
}

function contrast (result: Result, id: string): Contrast {
  const found = result.contrasts.find(one => one.id === id)
  if (found === undefined) throw new Error(`no contrast ${id}; there are ${result.contrasts.map(one => one.id).join(', ')}`)
  return found
}

const near = (value: number | null | undefined, wanted: number, share: number): boolean => typeof value === 'number' && Math.abs(value / wanted - 1) < share

t.test('a sweep: the gaps show the quota, the counters go with them', async t => {
  const result = analyse(simulateStreams())
  for (const id of ['none', 'q500-p1000', 'q125-p250']) t.ok(near(cell(result, id, 'itl')?.p50, 9, 0.1), `${id}: the median gap does not move`)
  t.ok(near(cell(result, 'q500-p1000', 'itl')?.p99, 609, 0.05), 'period − quota ÷ CPUs used, and a token')
  t.ok(near(cell(result, 'q125-p250', 'itl')?.p99, 159, 0.05), 'at the same ratio the stall moves with the period')
  t.equal(cell(result, 'none', 'throttled-periods'), undefined, 'no period was counted')
  t.equal(cell(result, 'q500-p1000', 'throttled-periods')?.mean, 1)
  t.ok(near(cell(result, 'q500-p1000', 'throttled-time')?.mean, 750, 0.1))
  t.ok(near(cell(result, 'q500-p1000', 'cpu-full')?.mean, 600, 0.1))
  t.ok(near(cell(result, 'none', 'tokens-per-second')?.mean, 1000 / 9, 0.05))
  t.ok(near(cell(result, 'none', 'cpus-used')?.mean, 8 / 9, 0.05))
  t.equal(cell(result, 'none', 'oom-kills')?.mean, 0)
})

t.test('three repeats describe, eight are judged, with all conditions in one family', async t => {
  const few = analyse(simulateStreams({ repeats: 7 }), { cells: false })
  t.ok(few.contrasts.length === 4 && few.contrasts.every(one => one.verdict === 'cannot say' && !one.primary))
  t.match(contrast(few, 'tokens-per-second:q500-p1000'), { a: 'none', b: 'q500-p1000', n: 7, because: /^described, not judged: 7 pairs/ })
  t.ok(near(contrast(few, 'tokens-per-second:q500-p1000').ratio, 0.4, 0.1), 'quota ÷ CPUs used')
  const many = analyse(simulateStreams({ repeats: 8 }), { cells: false })
  t.equal(contrast(many, 'tokens-per-second:q125-p250').verdict, 'worse')
  t.equal(contrast(many, 'itl-p99:q500-p1000').verdict, 'worse')
  t.equal(contrast(many, 'itl-p99:q500-p1000').pAdjusted, 4 * 2 / 2 ** 8, 'Holm over four')
})

t.test('too few gaps in a block: no p99, and no contrast of it', async t => {
  const result = analyse(simulateStreams({ predictTokens: 200 }))
  t.match(contrast(result, 'itl-p99:q500-p1000'), { ratio: null, because: 'no pair has this number in both blocks' })
  t.ok(cell(result, 'q500-p1000', 'itl')?.p99 !== null, 'pooled over the repeats there are enough')
})

t.test('a comparison under streams has one primary', async t => {
  const pair = [{ id: 'before', gapMs: 9 }, { id: 'after', gapMs: 7, baseline: 'before' }]
  const result = analyse(simulateStreams({ design: 'pairs', conditions: pair, repeats: 8 }), { cells: false })
  t.match(result.contrasts.filter(one => one.primary), [{ id: 'itl-p99', a: 'before', b: 'after', verdict: 'better' }])
  t.equal(contrast(result, 'tokens-per-second').verdict, 'better')
  t.equal(contrast(result, 'ttft-p50').verdict, 'better')
})

t.test('a 2×2: main effects and interaction', async t => {
  const quad = (together: number) => [{ id: 'none', gapMs: 12 }, { id: 'a', gapMs: 10, baseline: 'none' }, { id: 'b', gapMs: 8, baseline: 'none' }, { id: 'a+b', gapMs: together, baseline: 'none' }]
  const independent = analyse(simulateStreams({ design: 'factorial', conditions: quad(8 * 10 / 12), repeats: 8 }), { cells: false })
  t.ok(near(contrast(independent, 'main-effect:a').ratio, 10 / 12, 0.05))
  t.ok(near(contrast(independent, 'main-effect:b').ratio, 8 / 12, 0.05))
  t.equal(contrast(independent, 'main-effect:b').verdict, 'better')
  t.equal(contrast(independent, 'interaction').verdict, 'equivalent')
  t.match(independent.contrasts.filter(one => one.primary), [{ id: 'itl-p99', a: 'none', b: 'a+b', verdict: 'better' }])
  const redundant = analyse(simulateStreams({ design: 'factorial', conditions: quad(8), repeats: 8 }), { cells: false })
  t.equal(contrast(redundant, 'interaction').verdict, 'worse', 'together they do less than each alone would promise')
  const incomplete = simulateStreams({ design: 'factorial', conditions: quad(8), repeats: 8 })
  t.equal(contrast(analyse({ ...incomplete, blocks: incomplete.blocks.slice(1) }, { cells: false }), 'interaction').n, 7, 'a repeat without all four is left out')
})

t.test('a killed server: the block is valid, its calls failed, and both are said', async t => {
  const conditions = [...sweepConditions.slice(0, 1), { id: 'tight', baseline: 'none', gapMs: 9, killedAfter: 0.5 }, { id: 'tighter', baseline: 'none', gapMs: 9, killedAfter: 0 }]
  const result = analyse(simulateStreams({ conditions, repeats: 1 }))
  if (!isStreams(result)) throw new Error('streams expected')
  const of = (id: string) => result.blocks.find(block => block.condition === id)
  t.match(of('tight'), { valid: true, answered: 0, failed: 1, serverEnd: 'out of memory, SIGKILL, during the load', group: { oomKills: 1 } })
  t.match(of('tighter'), { valid: true, answered: 0, failed: 0, serverEnd: 'out of memory, killed for want of memory, before it was ready', group: { oomKills: 1 } })
  t.match(result.counts, [{ condition: 'none', outcome: 'answered' }, { condition: 'tight', outcome: 'failed', reason: 'cut: ECONNRESET', n: 1 }])
  t.ok(result.warnings.some(warning => /\(tight\): llama-server ended: out of memory, SIGKILL, during the load/.test(warning)))
  t.equal(cell(result, 'tight', 'oom-kills')?.mean, 1)
})

t.test('no call and no reason for it: invalid', async t => {
  const evidence = simulateStreams({ repeats: 1 })
  const silent: Evidence = { ...evidence, blocks: evidence.blocks.map(block => block.evidence.plan.condition === 'none' ? { ...block, calls: [] } : block) }
  const result = analyse(silent)
  t.same(result.blocks.filter(block => !block.valid).map(block => [block.condition, block.because]), [['none', 'no call was made']])
  t.ok(result.warnings.some(warning => /repeats without a valid block of every condition.*: 1$/.test(warning)))
  t.equal(contrast(result, 'tokens-per-second:q500-p1000').n, 0)
})

t.test('evidence from cgroup v1 is labelled', async t => {
  const evidence = simulateStreams({ repeats: 1 })
  const version1: Evidence = { ...evidence, blocks: evidence.blocks.map(block => ({ ...block, evidence: { ...block.evidence, group: { version: 'v1', path: '/sys/fs/cgroup/cpu/weir' } } })) }
  const labelled = (of: Evidence): boolean => analyse(of).warnings.some(warning => warning.startsWith('cgroup v1:'))
  t.ok(labelled(version1))
  t.notOk(labelled(evidence))
})

t.test('a client that stood still is named: its gaps may be its own', async t => {
  const evidence = simulateStreams({ repeats: 1 })
  const stalled: Evidence = { ...evidence, blocks: evidence.blocks.map(block => ({ ...block, evidence: { ...block.evidence, generatorEventLoopDelayMaxMs: 20 } })) }
  const warnings = analyse(stalled).warnings.filter(warning => warning.includes('the client stood still'))
  t.equal(warnings.length, 1)
  t.same(/Blocks: (.*)$/.exec(warnings[0] ?? '')?.[1]?.replaceAll(/\d+ /g, '').split(', ').sort(), ['none', 'q125-p250'], '5 % of a p99 of 609 ms is more')
  t.match(warnings[0], /in 2 of \d+ blocks, at most for 20 ms/)
})

t.test('a machine that changed its pace is told once for each number of threads, one that did not is not', async t => {
  const evidence = simulateStreams({ repeats: 2 })
  const read = (of: (i: number) => NonNullable<Block['evidence']['yardstick']>) => analyse({ ...evidence, blocks: evidence.blocks.map((block, i) => ({ ...block, evidence: { ...block.evidence, yardstick: of(i) } })) })
  const told = ({ warnings }: ReturnType<typeof analyse>) => warnings.filter(warning => warning.startsWith('the machine changed its pace'))
  t.same(told(read(() => ({ threads: 1, beforeMs: 3, afterMs: 3.3 }))), [])
  // One thread is slower from the third block on, two threads are not.
  const found = read(i => i % 2 === 0 ? { threads: 2, beforeMs: 2, afterMs: 2 } : { threads: 1, beforeMs: i < 2 ? 3 : 4.5, afterMs: i === 1 ? 4.5 : 3 + 1.5 * Number(i > 1) })
  t.equal(told(found).length, 1)
  t.match(told(found)[0], /a yardstick of 1 thread took 3 to 4\.5 ms for a token beside \d+ blocks, and another time after than before 1 of them/)
  t.match(found.blocks.find(({ index }) => index === 2), { yardstick: { threads: 1, ms: 3.75 } }, 'the mean of both readings')
})
