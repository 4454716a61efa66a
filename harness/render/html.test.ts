import t from 'tap'
import { formatNumber } from './format.js'
import { renderHtml } from './html.js'
import { html, escapeHtml } from './markup.js'
import { fakeRun } from './testing.js'

const { evidence, result } = fakeRun()
const page = renderHtml(evidence, result)
/** Enough where only words matter: drawing is most of the time. */
const small = fakeRun(1)

t.test('the page asks for nothing and runs nothing', async (t) => {
  t.notMatch(page, /https?:\/\//)
  t.notMatch(page, /<(script|link|iframe|object|embed|img|image|base)\b/i)
  t.notMatch(page, /\b(src|srcset|xlink:href|formaction)\s*=/i)
  t.notMatch(page, /@import|@font-face/)
  for (const [, target] of page.matchAll(/url\(([^)]*)\)/g)) t.match(target, /^["']?#/)
  t.notMatch(page, /\shref="(?!#)/)
})

t.test('the verdict comes first and the order is fixed', async (t) => {
  const places = ['SUPPORTED</div>', 'synthetic weights', 'Before and after', 'four legs', 'Useful work, block by block', 'Refusals and errors', '<summary>Method', 'npx harness report DIR'].map((text) => page.indexOf(text))
  t.notOk(places.includes(-1), String(places))
  t.same(places, [...places].sort((a, b) => a - b))
})

t.test('every id is unique, and every reference inside the page has its target', async (t) => {
  const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id)
  t.equal(new Set(ids).size, ids.length)
  for (const [, id] of page.matchAll(/url\(["']?#([^)"']*)["']?\)/g)) t.ok(ids.includes(id), `no target for ${id}`)
})

t.test('the same evidence gives the same page', async (t) => {
  const again = fakeRun(1)
  t.equal(renderHtml(again.evidence, again.result), renderHtml(small.evidence, small.result))
})

t.test('all text that was read is escaped', async (t) => {
  const { evidence, result } = small
  const evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>\'&'
  const model = { ...result.manifest.model, name: evil, path: evil, sha256: evil, quantisation: evil }
  const manifest = { ...result.manifest, model, cpuModel: evil, kernel: evil, virtualisation: evil, missing: [evil], server: { ...result.manifest.server, version: evil, from: evil } }
  const bad = {
    ...result,
    manifest,
    question: evil,
    experiment: evil,
    warnings: [evil],
    conditions: result.conditions.map((condition) => ({ ...condition, title: evil })),
    cells: result.cells.map((cell) => ({ ...cell, metric: evil, unit: evil })),
    contrasts: result.contrasts.map((contrast) => ({ ...contrast, metric: evil, because: evil, a: evil })),
    claims: result.claims.map((claim) => ({ ...claim, statement: evil, explanation: evil, predicted: evil, os: { ...claim.os, statement: evil, source: evil, figures: [{ what: evil, of: evil, source: evil, value: null, band: null, status: 'missing' as const, because: evil }] } })),
    counts: [{ condition: 'after' as const, outcome: evil, reason: evil, n: 1 }],
    blocks: result.blocks.map((block) => ({ ...block, valid: false, because: evil })),
    workload: { ...result.workload, ttftLimitMs: { [evil]: 1500, b: 900 }, classes: result.workload.classes.map((each) => ({ ...each, name: evil })) }
  }
  const blocks = evidence.blocks.map((block) => ({ ...block, evidence: { ...block.evidence, readBack: { [evil]: evil }, serverCommandLine: [evil], warnings: [evil] } }))
  const text = renderHtml({ ...evidence, blocks, manifest, planSha256: evil }, bad)
  t.notMatch(text, /<script|<img/i)
  t.match(text, '&quot;&gt;&lt;script&gt;alert(1)')
})

t.test('a number in the table is a number of the result', async (t) => {
  const table = /<section id="cells">.*?<\/section>/s.exec(page)?.[0] ?? ''
  const shown = [...table.matchAll(/<td class="number">([^<]*)/g)].map(([, text = '']) => text.replace('&gt;\u00a0', '')).filter((text) => text !== '–' && text !== '')
  const known = new Set(result.cells.flatMap((cell) => [cell.p50, cell.p95, cell.p99, cell.mean, cell.n, cell.nEff, ...Object.values(cell.censoredAbove ?? {})]).map((value) => formatNumber(value)))
  t.ok(shown.length > 60)
  for (const text of shown) t.ok(known.has(text), `${text} is no number of the result`)

  const [first] = result.cells
  const changed = { ...result, cells: result.cells.map((cell) => cell === first ? { ...cell, p50: 777.7 } : cell) }
  t.notMatch(table, '>778<')
  t.match(renderHtml(small.evidence, changed), '>778<')
})

t.test('empty and partial evidence still makes a page that says so', async (t) => {
  const none = fakeRun(0)
  const text = renderHtml(none.evidence, none.result)
  t.match(text, 'NO VERDICT')
  t.match(text, 'No cell could be computed')
  t.notMatch(text, /NaN|undefined|Infinity/)
  t.notMatch(page, /NaN|undefined|Infinity/)
})

t.test('the template escapes by default and joins lists', async (t) => {
  t.equal(html`<b title="${'"\'&'}">${['<i>', html`<u>${1}</u>`, undefined]}</b>`.toString(), '<b title="&quot;&#39;&amp;">&lt;i&gt;<u>1</u></b>')
  t.equal(escapeHtml('a\u0000b\u001b'), 'a\uFFFDb\uFFFD')
})
