import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import t from 'tap'
import { doctorLines } from '../vm/doctor.js'
import { studySchema } from '../study/schema.js'
import { studyList } from '../study/list.js'
import type { StudyPlan } from '../study/plan.js'
import type { StudyResult } from '../study/findings.js'
import { harness } from './testing.js'
import { machine } from './testing-machine.js'

const readJson = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T

/** Three times what the preset may take. */
t.setTimeout(45 * 60_000)

/** Whether a claim is supported depends on the machine and decides nothing here. */
t.test('the whole smoke study: every requirement was looked at, every leg has an end, what cannot be supported is marked', async t => {
  t.setTimeout(45 * 60_000)
  const folder = `${t.testdir()}/study`
  const putBack = machine(t)
  const { code, err, out } = await harness(['study', '--preset', 'smoke', '--out', folder])
  const { ok: hasVm } = await doctorLines()
  const plan = readJson<StudyPlan>(`${folder}/study-plan.json`)
  const study = readJson<StudyResult>(`${folder}/study.json`)
  const validate = new Ajv({ strict: true }).compile(studySchema)
  t.ok(validate(study), JSON.stringify(validate.errors))

  const wanted = study.experiments.filter(({ host }) => host === 'local' || hasVm)
  for (const { id, complete, outcome, error } of wanted) t.ok(complete, `${id}: ${outcome} ${error ?? ''}`)
  if (wanted.length === study.experiments.length) t.equal(code, 0, err)
  t.equal(study.ended, undefined)

  for (const { id, needs = 1 } of studyList().requirements) {
    const found = study.requirements.find(each => each.id === id)
    t.ok((found?.experiments.length ?? 0) >= needs, `${id}: as many experiments as it needs`)
    if (wanted.some(({ serves }) => serves === id)) t.not(found?.status, 'NOT RUN', id)
  }

  const page = readFileSync(`${folder}/report.html`, 'utf8')
  for (const { id, blocks, cannotShow } of plan.experiments) {
    t.ok(page.includes(`id="experiment-${id}"`), `${id} is in the report`)
    // Of one block there is no ratio that repeats could be wanted for.
    if (blocks > 1) t.ok(cannotShow.length > 0, `${id} says what its size cannot show`)
  }
  for (const { id, results } of wanted) {
    for (const { id: claim, status, application, os, control, mechanism } of results) {
      const legs = [application, os, control, mechanism].map(leg => leg.status)
      t.equal(status === 'SUPPORTED', legs.every(leg => leg === 'holds'), `${id}: ${claim} ${legs.join(' ')}`)
    }
  }
  t.match(err, /cannot show: /, 'said before it starts')
  t.match(out, /Report: /)
  await putBack([])
})
