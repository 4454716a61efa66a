import { existsSync, readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import t from 'tap'
import { studySchema } from '../study/schema.js'
import type { StudyResult } from '../study/findings.js'
import { harness } from './testing.js'

const readJson = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T

t.test('two experiments on the real llama-server: stopped in the second, gone on with, one report', async t => {
  const folder = `${t.testdir()}/study`
  const first = await harness(['study', '--preset', 'smoke', '--only', 'pinning,warmup', '--seed', '3', '--out', folder], { at: /^2 of 3: /, then: kill => kill('SIGINT') })
  t.equal(first.code, 130, first.err)
  t.match(first.err, /no verdict on single ratios[\s\S]*1 of 3: /, 'what it cannot show is said before it starts')
  t.match(first.err, /to go on: npx harness study --resume/)
  const stopped = readJson<StudyResult>(`${folder}/study.json`)
  t.match(stopped, { complete: false, ended: 'stopped by the user' })
  t.equal(stopped.experiments.filter(({ complete }) => complete).length, 1)

  const second = await harness(['study', '--resume', folder])
  t.equal(second.code, 0, second.err)
  t.match(second.err, /complete already, kept/)
  const study = readJson<StudyResult>(`${folder}/study.json`)
  const validate = new Ajv({ strict: true }).compile(studySchema)
  t.ok(validate(study), JSON.stringify(validate.errors))
  t.equal(study.complete, true)
  t.equal(study.machines.length, 1)
  t.ok(study.experiments.every(({ headline }) => headline !== undefined))
  t.ok(second.out.split('\n').every(line => line.length <= 80 || line.startsWith('Report: ')), 'nothing wider than 80 columns')
  for (const { id } of study.experiments) t.ok(existsSync(`${folder}/runs/${id}/report.html`), id)

  const before = readFileSync(`${folder}/study.json`, 'utf8')
  t.equal((await harness(['report', folder])).code, 0)
  t.equal(readFileSync(`${folder}/study.json`, 'utf8'), before, 'every number again from the raw files')
})
