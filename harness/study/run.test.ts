import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import t from 'tap'
import { writeRunReport } from '../commands/report.js'
import { studySchema } from './schema.js'
import { writeStudyReport } from './report.js'
import { leastFreeBytes, messageOf, runFolderOf, runStudy, type StudyRun } from './run.js'
import { stateOfRun } from './run-state.js'
import { measuredIn, plannedFor, storedRuns, studyPlanOf } from './testing.js'
import type { StudyResult } from './findings.js'

const plan = studyPlanOf(storedRuns.map(name => plannedFor(name)))
const stored = t.testdirName
mkdirSync(`${stored}-runs`, { recursive: true })
t.teardown(() => rmSync(`${stored}-runs`, { recursive: true, force: true }))
const copy = await measuredIn(`${stored}-runs`)

/** A study whose runs are copies of stored ones; `measured` counts them. */
function fake (folder: string, changed: Partial<StudyRun> = {}): StudyRun & { readonly measured: string[], readonly notes: string[] } {
  const [measured, notes]: [string[], string[]] = [[], []]
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}/study-plan.json`, JSON.stringify(plan))
  return {
    plan,
    planSha256: '0'.repeat(64),
    folder,
    signal: new AbortController().signal,
    note: line => { notes.push(line) },
    measure: async ({ id, name }, into) => { measured.push(id); copy(name, into) },
    report: async into => { await writeRunReport(into) },
    freeBytes: () => 1e12,
    nowMs: () => measured.length * 60_000,
    measured,
    notes,
    ...changed
  }
}

const statuses = ({ outcomes }: { outcomes: ReadonlyArray<{ id: string, status: string }> }): string[] => outcomes.map(({ status }) => status)
const json = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T

t.test('all run, one report of all; going on runs nothing again; re-rendering gives the same', async t => {
  const folder = t.testdir()
  const run = fake(folder)
  t.same(statuses(await runStudy(run)), ['complete', 'complete', 'complete'])
  const study = await writeStudyReport(folder)
  const validate = new Ajv({ strict: true }).compile(studySchema)
  t.ok(validate(json(`${folder}/study.json`)), JSON.stringify(validate.errors))
  t.equal(study.complete, true)
  t.match(study.requirements, [{ id: 'concurrency', status: 'NOT RUN', because: /no time in 75 min/ }, { id: 'system-mitigation', status: 'SUPPORTED', because: 'held by pinning, cpu-weight (2 wanted); not by warmup (UNSUPPORTED)' }])
  t.same(study.experiments.map(({ results }) => results.map(({ status }) => status)), [['SUPPORTED'], ['SUPPORTED'], ['UNSUPPORTED']])

  const page = readFileSync(`${folder}/report.html`, 'utf8')
  const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id)
  t.equal(new Set(ids).size, ids.length, 'no id is there twice')
  t.ok(ids.length > 50)
  for (const [, id] of [...page.matchAll(/url\(#([^)]*)\)/g), ...page.matchAll(/href="#([^"]*)"/g)]) t.ok(ids.includes(id), `a target for ${id}`)
  t.notMatch(page, /https?:\/\//)
  t.notMatch(page, /<(script|link|iframe|img)\b|class="plot narrow"/i)
  const places = ['2 of 3 claims', 'id="verdicts"', 'id="contents"', 'id="limits"', 'id="environment"', 'id="experiment-pinning"', 'What would change this conclusion', 'id="experiment-cpu-weight"', 'id="experiment-warmup"', 'id="check"'].map(text => page.indexOf(text))
  t.ok(places.every(place => place > 0), String(places))
  t.same(places, [...places].sort((a, b) => a - b), 'verdicts first, then what was asked, then each run')
  t.match(readFileSync(`${folder}/report.md`, 'utf8'), /\| system-mitigation \| What do they give back\? \| SUPPORTED \|/)
  t.equal(readFileSync(`${folder}/claims.csv`, 'utf8').trim().split('\r\n').length, 4)
  t.match(readFileSync(`${folder}/figures.csv`, 'utf8'), /^pinning,before,itl,ms,answered,/m)
  t.match(readFileSync(`${folder}/legs.csv`, 'utf8'), /^system-mitigation,pinning,[\w-]+,control,"CPU time per token, with ÷ without[^"]*",,holds,[\d.]+,[\d.]+,[\d.]+,/m, 'before, after, and what is made of them')
  t.match(readFileSync(`${folder}/contrasts.csv`, 'utf8'), /^pinning,tokens-per-second,before,after,/m)
  t.match(page, /<small>refuted by its [\w ,]+ leg/, 'what is not supported says why in the first table')

  const again = fake(folder)
  const kept = await runStudy(again)
  t.same(statuses(kept), ['kept', 'kept', 'kept'])
  t.same(kept.outcomes.map(({ seconds }) => seconds), [60, 60, 60], 'what they took when they were measured')
  t.same(again.notes, ['1 of 3: pinning: complete already, kept', '2 of 3: cpu-weight: complete already, kept', '3 of 3: warmup: complete already, kept'])
  t.same(again.measured, [])
  await writeStudyReport(folder)
  t.same({ ...json<StudyResult>(`${folder}/study.json`), experiments: [] }, { ...study, experiments: [] })

  t.test('a figure follows its raw line', async t => {
    const file = `${runFolderOf(folder, 'pinning')}/blocks/01-before/calls.ndjson`
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"itlMs":\[/, '"itlMs":[5000,'))
    const before = readFileSync(`${folder}/figures.csv`, 'utf8')
    await writeStudyReport(folder)
    t.not(readFileSync(`${folder}/figures.csv`, 'utf8'), before)
  })
})

t.test('one that fails does not end the study; going on runs it again, and only it', async t => {
  const folder = t.testdir()
  const run = fake(folder)
  const state = await runStudy({
    ...run,
    measure: async (experiment, into) => {
      if (experiment.id === 'cpu-weight') throw new Error('llama-server ended')
      await run.measure(experiment, into)
    }
  })
  t.same(statuses(state), ['complete', 'failed', 'complete'])
  t.match(state.outcomes[1], { error: 'llama-server ended' })
  const study = await writeStudyReport(folder)
  t.equal(study.complete, false)
  t.match(study.warnings, ['cpu-weight failed: llama-server ended'])
  t.match(readFileSync(`${folder}/report.html`, 'utf8'), /FAILED[\s\S]*There is nothing to show: llama-server ended/)
  const again = fake(folder)
  t.same(statuses(await runStudy(again)), ['kept', 'complete', 'kept'])
  t.same(again.measured, ['cpu-weight'])
  t.equal((await writeStudyReport(folder)).complete, true)
})

t.test('stopped in the middle: what is finished counts, the partial run is reported and put aside when the study goes on', async t => {
  const folder = t.testdir()
  const stop = new AbortController()
  const run = fake(folder, { signal: stop.signal })
  const state = await runStudy({
    ...run,
    measure: async (experiment, into) => {
      await run.measure(experiment, into)
      if (experiment.id !== 'cpu-weight') return
      for (const block of readdirSync(`${into}/blocks`).slice(5)) rmSync(`${into}/blocks/${block}`, { recursive: true })
      stop.abort(new Error('stopped by the user'))
    }
  })
  t.same(statuses(state), ['complete', 'partial', 'not run'])
  t.equal(state.ended, 'stopped by the user')
  const study = await writeStudyReport(folder)
  t.match(study, { complete: false, ended: 'stopped by the user', experiments: [{ complete: true }, { complete: false, headline: {} }, { outcome: 'not run' }] })
  t.match(study.requirements[1], { status: 'UNSUPPORTED' }, 'a partial run supports nothing')
  const again = fake(folder)
  t.same(statuses(await runStudy(again)), ['kept', 'complete', 'complete'])
  t.match(again.notes, ['1 of 3: pinning: complete already, kept', /^2 of 3: cpu-weight .*; the whole study about 2 min more$/, /^3 of 3: warmup .* about 60 s more$/], 'what is kept takes no time any more')
  t.same(again.measured, ['cpu-weight', 'warmup'])
  t.ok(existsSync(`${folder}/runs/cpu-weight.incomplete-1/plan.json`))
})

t.test('killed: without a state, the runs themselves say what is done', async t => {
  const folder = t.testdir()
  await runStudy(fake(folder))
  rmSync(`${folder}/study-state.json`)
  rmSync(`${folder}/runs/cpu-weight/result.json`)
  rmSync(`${folder}/runs/warmup/blocks/16-before/block.json`)
  const again = fake(folder)
  t.same(statuses(await runStudy(again)), ['kept', 'kept', 'complete'])
  t.same(again.measured, ['warmup'], 'measured, but without a result, is only analysed')
})

t.test('a full disk ends the study at once, and says so; what was measured stays', async t => {
  const enospc = Object.assign(new Error('no space left on device, write'), { code: 'ENOSPC' })
  t.equal(messageOf(enospc), 'ENOSPC: no space left on device, write')
  await t.test('while it measures', async t => {
    const folder = t.testdir()
    const run = fake(folder)
    const state = await runStudy({ ...run, measure: async (experiment, into) => { if (experiment.id === 'cpu-weight') throw enospc; await run.measure(experiment, into) } })
    t.same(statuses(state), ['complete', 'failed', 'not run'])
    t.equal(state.ended, 'the disk is full')
    t.same(run.measured, ['pinning'])
  })
  await t.test('seen before a run', async t => {
    const run = fake(t.testdir(), { freeBytes: () => leastFreeBytes - 1 })
    t.match(await runStudy(run), { ended: 'the disk is full', outcomes: [{ status: 'not run' }] })
    t.same(run.measured, [])
  })
  await t.test('for the state and for the report', async t => {
    const folder = t.testdir()
    const run = fake(folder, { write: async () => { throw enospc } })
    t.same(statuses(await runStudy(run)), ['complete', 'complete', 'complete'])
    t.match(run.notes.join('\n'), /study-state\.json could not be written \(ENOSPC/)
    await t.rejects(writeStudyReport(folder, { write: async () => { throw enospc } }), { code: 'ENOSPC' })
    t.notOk(existsSync(`${folder}/report.html`))
    t.equal((await writeStudyReport(folder)).complete, true, 'with room again')
  })
})

t.test('whether a run is complete', async t => {
  const folder = t.testdir()
  const into = `${folder}/run`
  const planned = plannedFor('pinning')
  t.equal(stateOfRun(into, planned), 'absent')
  copy('pinning', into)
  rmSync(`${into}/result.json`, { force: true })
  t.equal(stateOfRun(into, planned), 'measured')
  await writeRunReport(into)
  t.equal(stateOfRun(into, planned), 'complete')
  t.equal(stateOfRun(into, plannedFor('warmup')), 'other')
  t.equal(stateOfRun(into, { ...planned, seed: 2 }), 'other')
  t.equal(stateOfRun(into, { ...planned, size: { preset: 'smoke' } }), 'other')
  writeFileSync(`${into}/plan.json`, readFileSync(`${into}/plan.json`, 'utf8') + ' ')
  t.equal(stateOfRun(into, planned), 'measured', 'its result is of another plan')
  writeFileSync(`${into}/result.json`, '{}')
  t.equal(stateOfRun(into, planned), 'measured', 'no valid result')
  rmSync(`${into}/blocks/03-after/block.json`)
  t.equal(stateOfRun(into, planned), 'partial')
})
