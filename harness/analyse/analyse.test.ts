import t from 'tap'
import { shuffled, seededRandom } from '../stats/random.js'
import type { Block, CallSample, Contrast, Evidence, Result } from '../types.js'
import { analyse } from './analyse.js'
import { simulate } from './testing.js'

const fast = { cells: false }
const windowSeconds = 15

function contrast (result: Result, id: string): Contrast {
  const found = result.contrasts.find(one => one.id === id)
  if (found === undefined) throw new Error(`no contrast ${id}`)
  return found
}

/** One block changed by `change`, the rest as it was. */
function withBlock (evidence: Evidence, index: number, change: (block: Block) => Block): Evidence {
  return { ...evidence, blocks: evidence.blocks.map(block => block.evidence.plan.index === index ? change(block) : block) }
}

function withCalls (evidence: Evidence, index: number, change: (calls: readonly CallSample[]) => readonly CallSample[]): Evidence {
  return withBlock(evidence, index, block => ({ ...block, calls: change(block.calls) }))
}

t.test('a bounded queue under overload: better, all of the capacity, same machine', async t => {
  const result = analyse(simulate({ windowSeconds }))
  t.equal(contrast(result, 'good-per-second').verdict, 'better')
  t.equal(result.contrasts.filter(one => one.primary).length, 1)
  const share = contrast(result, 'good-per-capacity')
  t.equal(share.verdict, 'equivalent')
  t.match(share, { a: 'capacity of the same block', b: 'after', metric: 'good-per-capacity' })
  t.equal(contrast(result, 'good-per-capacity-before').verdict, 'worse')
  t.equal(contrast(result, 'ttft-answered-p50').verdict, 'better')
  t.equal(contrast(result, 'ttft-answered-p95').verdict, 'better')
  t.equal(contrast(result, 'capacity').verdict, 'equivalent')
  t.equal(contrast(result, 'server-cpu-per-token').verdict, 'equivalent')
  t.equal(result.complete, true)

  const offered = result.cells.find(cell => cell.condition === 'after' && cell.metric === 'ttft' && cell.population === 'offered')
  t.equal(offered?.p95, null, 'refused calls are worse than any limit')
  t.same(offered?.censoredAbove?.p95, 1500)
  const growth = result.cells.filter(cell => cell.metric === 'backlog-growth')
  t.ok((growth[0]?.p50 ?? 0) > 6 && Math.abs(growth[1]?.p50 ?? 9) < 0.5, 'offered − capacity = 8 calls/s, and none')
  t.ok(result.counts.some(count => count.condition === 'after' && count.outcome === 'refused' && count.reason === 'queue-full' && count.n > 100))
})

t.test('+10 % is found when 5 % matters, equal arms are equivalent', async t => {
  const finer = (evidence: Evidence): Evidence => ({ ...evidence, plan: { ...evidence.plan, outcomes: evidence.plan.outcomes.map(spec => ({ ...spec, matters: 1.05 })) } })
  const faster = analyse(finer(simulate({ windowSeconds, bounded: ['before', 'after'], speedUp: 1.1, blockNoise: 0.02 })), fast)
  t.equal(contrast(faster, 'good-per-second').verdict, 'better')
  t.ok(Math.abs((contrast(faster, 'good-per-second').ratio ?? 0) - 1.1) < 0.04)
  t.equal(contrast(faster, 'capacity').verdict, 'better')
  t.equal(contrast(faster, 'good-per-capacity').verdict, 'equivalent', 'a faster machine does not look like better use of it')
  const slower = analyse(finer(simulate({ windowSeconds, bounded: ['before', 'after'], speedUp: 1 / 1.1, blockNoise: 0.02 })), fast)
  t.equal(contrast(slower, 'good-per-second').verdict, 'worse')
  const equal = analyse(simulate({ windowSeconds, bounded: ['before', 'after'] }), fast)
  t.equal(contrast(equal, 'good-per-second').verdict, 'equivalent')
})

t.test('a machine that slows down for the load lowers good ÷ capacity, and not what good answers get of the CPU time', async t => {
  const evidence = simulate({ windowSeconds, loadSlowdown: 1.25 })
  const slower = analyse(evidence, fast)
  const of = (id: string): number => contrast(slower, id).ratio ?? NaN
  t.ok(Math.abs(of('good-per-capacity') - 0.8) < 0.04, `good ÷ capacity ${of('good-per-capacity')}`)
  t.ok(Math.abs(of('good-cpu-time') - 1) < 0.04, `of the CPU time ${of('good-cpu-time')}`)
  t.ok(of('good-cpu-time-before') < 0.3, 'the time of a server without a bound goes into answers that come too late')
  const workload = { ...evidence.plan.workload, classes: [...evidence.plan.workload.classes, { name: 'long', promptWords: 999, maxTokens: 8, share: 0 }] }
  t.notOk(analyse({ ...evidence, plan: { ...evidence.plan, workload } }, fast).contrasts.some(({ metric }) => metric === 'good-cpu-time'), 'tokens of unlike calls do not cost the same')
})

t.test('too noisy to say: says what it would take', async t => {
  const { verdict, because } = contrast(analyse(simulate({ windowSeconds: 8, bounded: ['before', 'after'], blockNoise: 0.4 }), fast), 'good-per-second')
  t.equal(verdict, 'cannot say')
  t.match(because, /about \d+ pairs/)
})

t.test('interval and p of the primary agree; fewer than 6 pairs are described, not judged', async t => {
  for (const pairs of [1, 3, 5]) {
    const result = analyse(simulate({ windowSeconds: 5, pairs }), fast)
    t.match(contrast(result, 'good-per-second'), { verdict: 'cannot say', ci95: null, n: pairs })
    t.match(contrast(result, 'good-per-second').because, /described, not judged: \d pairs, the smallest possible p is/)
  }
  for (let seed = 1; seed <= 10; seed++) {
    const { p, ci95 } = contrast(analyse(simulate({ windowSeconds: 5, seed, bounded: ['before', 'after'], speedUp: 1.04 }), fast), 'good-per-second')
    t.equal((p ?? 1) <= 0.05, ci95 !== null && (ci95[0] > 1 || ci95[1] < 1), `seed ${seed}`)
  }
})

t.test('blocks without a good request: half a request for all; none anywhere is no equivalence', async t => {
  const one = contrast(analyse(simulate({ windowSeconds }), fast), 'good-per-second')
  t.match(one.because, /half a request was added/)
  t.ok(one.ratio !== null && Number.isFinite(one.ratio))
  t.match(contrast(analyse(simulate({ windowSeconds, overload: 3, bounded: [] }), fast), 'good-per-second'), {
    verdict: 'cannot say', ratio: null, because: 'no request was good in either arm'
  })
})

t.test('every raw line counts: one altered line changes the Result', async t => {
  const evidence = simulate({ windowSeconds: 6, pairs: 2 })
  const plain = JSON.stringify(analyse(evidence))
  t.ok(JSON.stringify(analyse(evidence)) === plain, 'deterministic')
  const loadAt = (calls: readonly CallSample[]): number => calls.findIndex(call => call.phase === 'load' && call.outcome === 'answered' && call.intendedMs > 2e6 + 15_000)
  const alter = (change: (call: CallSample) => CallSample, at = loadAt): Evidence => withCalls(evidence, 2, calls => calls.map((call, i) => i === at(calls) ? change(call) : call))
  const altered: Readonly<Record<string, Evidence>> = {
    'first content': alter(call => ({ ...call, firstMs: (call.firstMs ?? 0) + 5 })),
    'end of the answer': alter(call => ({ ...call, doneMs: call.doneMs + 5 })),
    outcome: alter(call => ({ ...call, outcome: 'failed', reason: 'reset' })),
    'a gap': alter(call => ({ ...call, itlMs: call.itlMs.map((gap, i) => i === 0 ? gap + 5 : gap) })),
    'a capacity call': alter(call => ({ ...call, outcome: 'failed' }), () => 8),
    'a sample': withBlock(evidence, 2, block => ({ ...block, samples: block.samples.map((sample, i) => i === 0 && sample.process !== undefined ? { ...sample, process: { ...sample.process, cpuUsec: sample.process.cpuUsec + 1e5 } } : sample) }))
  }
  for (const [name, other] of Object.entries(altered)) t.ok(JSON.stringify(analyse(other)) !== plain, name)
})

t.test('the order in which the blocks are given does not matter', async t => {
  const evidence = simulate({ windowSeconds: 5, pairs: 3 })
  t.same(analyse({ ...evidence, blocks: shuffled(seededRandom(4), evidence.blocks) }), analyse(evidence))
})

t.test('a stopped run: the odd block is left out of the pairs, the rest is analysed', async t => {
  const evidence = simulate({ windowSeconds: 5, pairs: 4 })
  const result = analyse({ ...evidence, blocks: evidence.blocks.slice(0, 5) })
  t.equal(result.complete, false)
  t.equal(contrast(result, 'good-per-second').n, 2)
  t.equal(result.blocks.length, 5)
  t.ok(result.warnings.some(warning => /incomplete: 3 of 8 planned blocks are missing \(6 after, 7 after, 8 before\)/.test(warning)))
  t.ok(result.warnings.some(warning => /left out of the paired contrasts: 3$/.test(warning)))
  t.equal(analyse({ ...evidence, blocks: [] }).complete, false)
})

t.test('a late load generator makes its block invalid and takes its pair out', async t => {
  const late = withCalls(simulate({ windowSeconds: 8 }), 3, calls => calls.map((call, i) => call.phase === 'load' && i % 2 === 0 ? { ...call, sentMs: call.sentMs + 40 } : call))
  const result = analyse(late)
  t.same(result.blocks.filter(block => !block.valid).map(block => block.index), [3])
  t.match(result.blocks[2]?.because, /p95 of sent − intended is 40\.2 ms/)
  t.equal(contrast(result, 'good-per-second').n, 7)
  t.ok(result.warnings.some(warning => warning.startsWith('block 3 (after) is invalid')))
})

t.test('evidence that is not of this plan', async t => {
  const evidence = simulate({ windowSeconds: 5, pairs: 2 })
  const stranger = withBlock(evidence, 2, block => ({ ...block, evidence: { ...block.evidence, plan: { ...block.evidence.plan, traceSeed: 9 } } }))
  t.match(analyse(stranger).warnings[0], /block 2 says .* seed 9; the plan says .*: it is left out/)
  t.throws(() => analyse({ ...evidence, blocks: [...evidence.blocks, ...evidence.blocks.slice(0, 1)] }), /block 1 \(before\) is there twice/)
  t.throws(() => analyse(withCalls(evidence, 1, calls => calls.map(call => ({ ...call, cls: 'long' })))), /class 'long'.* no ttftLimitMs \(it has short\)/)
})
