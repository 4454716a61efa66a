import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import t from 'tap'
import { extract } from 'tar'
import { packageRoot } from '../package-root.js'
import { resultSchema } from '../result-schema.js'
import type { Cell } from '../types.js'
import { analyse } from './analyse.js'
import { readEvidence } from './read.js'

/** The run, or those of a study but for what a resumed one put aside. */
function runsIn (folder: string): string[] {
  const runs = join(folder, 'runs')
  return existsSync(runs) ? readdirSync(runs).filter(name => !name.includes('.incomplete-')).map(name => join(runs, name)) : [folder]
}

t.test('an early run, of schema version 1: its figures come out again', async t => {
  const folder = t.testdir()
  await extract({ file: `${packageRoot()}/bench/measured/admission-2x-v1.tar.gz`, cwd: folder })
  const result = analyse(await readEvidence(join(folder, 'admission-2x')))
  const cell = (condition: string, metric: string, population: Cell['population']): Cell | undefined =>
    result.cells.find(one => one.condition === condition && one.metric === metric && one.population === population)
  const rounded = (value: number | null | undefined, digits: number): number => Number((value ?? NaN).toFixed(digits))
  const share = result.contrasts.find(contrast => contrast.id === 'good-per-capacity')
  t.same([share?.ratio, ...share?.ci95 ?? []].map(value => rounded(value, 3)), [1.008, 0.956, 1.064])
  t.equal(rounded(result.contrasts.find(contrast => contrast.id === 'good-per-capacity-before')?.ratio, 3), 0.035)
  for (const [condition, p50, p95] of [['before', 6075, 8843], ['after', 1229, 1565]] as const) {
    const ttft = cell(condition, 'ttft', 'answered')
    t.same([rounded(ttft?.p50, 0), rounded(ttft?.p95, 0)], [p50, p95], condition)
  }
  const refusal = cell('after', 'refusal-cost', 'refused')
  t.same([rounded(refusal?.p50, 1), rounded(refusal?.p95, 1)], [2.8, 6.8])
  t.equal(result.complete, true)
  t.match(result.claims, [{ id: 'admission-keeps-capacity-good', status: 'SUPPORTED' }])
})

t.test('every run that comes along is whole, and its result is as the published schema says', async t => {
  const validate = new Ajv({ strict: true }).compile(resultSchema)
  const measured = `${packageRoot()}/bench/measured`
  const archives = readdirSync(measured).filter(name => name.endsWith('.tar.gz'))
  t.ok(archives.length >= 9)
  const folder = t.testdir()
  for (const file of archives) {
    // Two of them have a folder of the same name.
    const own = join(folder, file)
    mkdirSync(own)
    await extract({ file: `${measured}/${file}`, cwd: own })
    const [inside = ''] = readdirSync(own)
    for (const run of runsIn(join(own, inside))) {
      const result = analyse(await readEvidence(run))
      t.ok(validate(JSON.parse(JSON.stringify(result))), `${run}: ${JSON.stringify(validate.errors)}`)
      t.ok(result.complete, run)
      t.ok(result.claims.length > 0, run)
    }
  }
})
