import t from 'tap'
import { renderSummary } from './summary.js'
import { fakeRun } from './testing.js'
import { columns } from './text.js'
import type { ContrastVerdict, Result } from '../types.js'

const { result } = fakeRun()
const plain = { colour: false, width: 80 }

function withPrimary (change: Partial<Result['contrasts'][number]>): Result {
  return { ...result, contrasts: result.contrasts.map((contrast) => contrast.primary ? { ...contrast, ...change } : contrast) }
}

function widest (text: string): number {
  return Math.max(...text.split('\n').map(columns))
}

const HOSTILE = '\u001b]0;owned\u0007<script>alert(1)</script> 模型'.repeat(6)

const RESULTS: Record<string, Result> = {
  full: result,
  empty: fakeRun(0).result,
  ...Object.fromEntries((['better', 'worse', 'equivalent', 'cannot say'] as const).map((verdict: ContrastVerdict) => [verdict, withPrimary({ verdict })])),
  nulls: withPrimary({ ratio: null, ci95: null, p: null, n: 0, verdict: 'cannot say' }),
  huge: {
    ...withPrimary({ ratio: 1e12, ci95: [1e-12, 1e300], p: 1e-9, n: 123456 }),
    cells: result.cells.map((cell) => ({ ...cell, n: 123_456_789_012, nEff: 9_876_543_210, p50: 1.23456789e15, p95: -1e-15, mean: 1e-300, censoredAbove: { p99: 123_456_789 } }))
  },
  tiny: { ...result, cells: result.cells.map((cell) => ({ ...cell, n: 1, nEff: 1, p50: null, p95: null, p99: null, mean: null })) },
  hostile: {
    ...result,
    question: HOSTILE,
    manifest: { ...result.manifest, model: { ...result.manifest.model, name: HOSTILE } },
    warnings: [HOSTILE, 'x'.repeat(500)],
    cells: result.cells.map((cell) => ({ ...cell, metric: `${cell.metric}-${'y'.repeat(90)}`, unit: HOSTILE })),
    counts: [{ condition: 'before', outcome: HOSTILE, reason: HOSTILE, n: 1e15 }]
  }
}

for (const [name, each] of Object.entries(RESULTS)) {
  t.test(`${name}: never wider than it may be, and no control characters`, async (t) => {
    for (const width of [80, 60]) {
      const text = renderSummary(each, { colour: false, width, paths: ['results/2026-01-02/report.html', `/${'long/'.repeat(40)}`] })
      t.ok(widest(text) <= width, `widest line has ${widest(text)} columns`)
      t.notMatch(text, /[^\P{C}\n]/u)
      t.notMatch(text, /undefined|NaN|\[object/)
    }
  })
}

t.test('the first line is the verdict with its numbers', async (t) => {
  const primary = { ratio: 9.12, ci95: [7.91, 10.6], p: 0.0078, n: 8, verdict: 'better' } as const
  const [before, after] = (['before', 'after'] as const).map((arm) => result.cells.find((cell) => cell.metric === 'good-per-second' && cell.condition === arm)?.mean ?? 0)
  t.ok((before ?? 0) > 0)
  t.equal(renderSummary({ ...withPrimary(primary), claims: [] }, plain).split('\n')[0],
    `BETTER  good requests/s ${Number(before?.toPrecision(3))} → ${Number(after?.toPrecision(3))} (×9.12, 95 % 7.91–10.6, p 0.0078, 8 pairs)`)
  t.match(renderSummary({ ...withPrimary({ verdict: 'cannot say', because: 'six pairs at least' }), claims: [] }, plain), /^CANNOT SAY {2}good requests\/s .*\n(.*\n)? +six pairs at least\n/)
  t.match(renderSummary({ ...(RESULTS.empty ?? result), claims: [] }, plain), /^NO VERDICT {2}the result has no primary contrast\n +The run did not finish/)
})

t.test('claims speak before the primary outcome, which may be too small for a verdict of its own', async (t) => {
  const [claim] = result.claims
  const statement = (claim?.statement ?? '').slice(0, 40)
  const few = withPrimary({ verdict: 'cannot say', because: 'six pairs at least' })
  const start = (each: Result): string => renderSummary(each, plain).split('\n\n')[0]?.replace(/\s+/g, ' ') ?? ''
  t.match(start(few), new RegExp(`^SUPPORTED ${statement}.* CANNOT SAY: good requests/s .*\\); six pairs at least`))
  t.match(start({ ...few, claims: result.claims.flatMap(each => [each, { ...each, status: 'UNSUPPORTED' as const }]) }), new RegExp(`^UNSUPPORTED ${statement}.* 1 of 2 claims supported\\. CANNOT SAY`))
})

t.test('colour changes no character and no width', async (t) => {
  const coloured = renderSummary(result, { ...plain, colour: true })
  t.match(coloured, '\u001b[32mSUPPORTED\u001b[0m  ')
  const escapes = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g')
  t.equal(coloured.replace(escapes, ''), renderSummary(result, plain))
})

t.test('missing, censored and synthetic are said in words', async (t) => {
  const text = renderSummary(result, plain)
  t.match(text, /> 1,500/)
  t.match(text, /– too few independent calls \(n_eff\): p50 needs 6, p95 needs 59, p99 needs\s+299/)
  t.match(text, '! synthetic weights: smol-135m-Q8_0')
  const real = { ...result, manifest: { ...result.manifest, model: { ...result.manifest.model, synthetic: false } } }
  t.notMatch(renderSummary(real, plain), /synthetic/)
})

t.test('a claim shows its four legs, and a failed one is UNSUPPORTED', async (t) => {
  const [claim] = result.claims
  if (claim === undefined) throw new Error('the fake run has a claim')
  const text = renderSummary({ ...result, claims: [{ ...claim, status: 'UNSUPPORTED', control: { ...claim.control, status: 'fails' } }] }, plain)
  t.match(text, /^UNSUPPORTED {2}Admission/m)
  t.match(text, /^ {2}application holds /m)
  t.match(text, /^ {2}os {10}holds /m)
  t.match(text, /^ {2}control {5}fails /m)
  t.match(text, /^ {2}mechanism {3}holds /m)
})
