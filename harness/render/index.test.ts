import { mkdir, readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import t from 'tap'
import { renderMarkdown, writeReport } from './index.js'
import { REPORT_FILES } from './sections/files.js'
import { fakeRun } from './testing.js'

const { evidence, result } = fakeRun(2)

t.test('writes every file whole and leaves nothing else', async (t) => {
  const dir = join(t.testdir(), 'deep', 'run')
  const paths = await writeReport(dir, evidence, result)
  const charts = paths.slice(REPORT_FILES.length)
  t.same(paths.slice(0, REPORT_FILES.length).map((path) => basename(path)), REPORT_FILES)
  t.ok(charts.length > 3 && charts.every((path) => /\/charts\/\w+\.svg$/.test(path)))
  for (const path of charts) t.match(await readFile(path, 'utf8'), /^<\?xml .*\n<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[\s\S]*<\/svg>\n$/)
  t.same((await readdir(dir)).sort(), [...REPORT_FILES, 'charts'].sort())
  t.same(JSON.parse(await readFile(join(dir, 'result.json'), 'utf8')), result)
  await writeReport(dir, evidence, { ...result, experiment: 'again' })
  t.equal(JSON.parse(await readFile(join(dir, 'result.json'), 'utf8')).experiment, 'again')
  t.equal((await readdir(dir)).length, REPORT_FILES.length + 1)
})

t.test('a file that cannot be replaced leaves no half file behind', async (t) => {
  const dir = t.testdir()
  await mkdir(join(dir, 'result.json', 'occupied'), { recursive: true })
  await t.rejects(writeReport(dir, evidence, result), /result\.json/)
  t.same(await readdir(dir), ['result.json'])
})

t.test('Markdown: verdict, table, claim, warnings; what was read is not markup', async (t) => {
  const text = renderMarkdown(result)
  t.match(text, /^# Does the admission policy/)
  t.match(text, /^\*\*SUPPORTED\*\* .*\n\nBETTER: good requests\/s /m)
  t.match(text, '| measured, population | condition | p50 | p95 | p99 | mean | n | n_eff |')
  t.match(text, '**SUPPORTED**')
  t.match(text, '* synthetic weights: smol-135m-Q8\\_0')
  const evil = renderMarkdown({ ...result, question: '<b>[x](y)|`z`\n# @all', counts: [] })
  t.match(evil, '# \\<b\\>\\[x\\](y)\\|\\`z\\` \\# @\u200ball\n')
})
