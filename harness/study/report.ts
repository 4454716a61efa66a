import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { analyse } from '../analyse/analyse.js'
import { readEvidence } from '../analyse/read.js'
import { replaceFile } from '../replace-file.js'
import type { Result } from '../types.js'
import { findingsOf, type StudyResult } from './findings.js'
import type { StudyPlan } from './plan.js'
import { messageOf, runFolderOf, type StudyState } from './run.js'
import { stateOfRun } from './run-state.js'
import { studySchema } from './schema.js'

export const studyFiles = ['study.json', 'study.schema.json', 'report.html', 'report.md', 'claims.csv', 'legs.csv', 'contrasts.csv', 'figures.csv'] as const

/** Where a study is: what `--out` made, not one of its runs. */
export function isStudyFolder (folder: string): boolean {
  return existsSync(`${folder}/study-plan.json`)
}

export function readStudyPlan (folder: string): { readonly plan: StudyPlan, readonly planSha256: string } {
  const text = readFileSync(`${folder}/study-plan.json`, 'utf8')
  return { plan: JSON.parse(text) as StudyPlan, planSha256: createHash('sha256').update(text).digest('hex') }
}

/** Without study-state.json (killed before its first line, or the disk was full) the runs themselves say what was done. */
function readState (folder: string, plan: StudyPlan, planSha256: string): StudyState {
  const told = existsSync(`${folder}/study-state.json`) ? JSON.parse(readFileSync(`${folder}/study-state.json`, 'utf8')) as StudyState : { planSha256, outcomes: [] }
  const outcomes = plan.experiments.map(experiment => {
    const own = told.outcomes.find(({ id }) => id === experiment.id)
    if (own !== undefined && own.status !== 'not run') return own
    const seen = stateOfRun(runFolderOf(folder, experiment.id), experiment)
    return { id: experiment.id, status: seen === 'complete' || seen === 'measured' ? 'kept' as const : seen === 'partial' ? 'partial' as const : 'not run' as const }
  })
  return { ...told, outcomes }
}

/** Every number of a study again from the raw files of its runs; all of it is rendered before the first file is touched. */
export async function writeStudyReport (folder: string, { write = replaceFile, onRun = () => {} }: { readonly write?: (path: string, text: string) => Promise<void>, readonly onRun?: (id: string) => void } = {}): Promise<StudyResult> {
  const [{ reportFragment }, { renderStudyHtml }, tables] = await Promise.all([import('../render/study/fragment.js'), import('../render/study/html.js'), import('../render/study/tables.js')])
  const { plan, planSha256 } = readStudyPlan(folder)
  const state = readState(folder, plan, planSha256)
  const results = new Map<string, Result>()
  const fragments = new Map<string, string>()
  const unread: string[] = []
  for (const { id } of plan.experiments) {
    const own = runFolderOf(folder, id)
    if (!existsSync(`${own}/plan.json`) || !existsSync(`${own}/manifest.json`)) continue
    onRun(id)
    try {
      const evidence = await readEvidence(own)
      const result = analyse(evidence)
      fragments.set(id, reportFragment(`x-${id}`, evidence, result))
      results.set(id, result)
    } catch (error) {
      unread.push(`${id} cannot be read: ${messageOf(error)}`)
    }
  }
  const found = findingsOf({ plan, planSha256, state, results })
  const study = { ...found, warnings: [...found.warnings, ...unread] }
  const texts: Readonly<Record<typeof studyFiles[number], string>> = {
    'study.json': `${JSON.stringify(study, null, 2)}\n`,
    'study.schema.json': `${JSON.stringify(studySchema, null, 2)}\n`,
    'report.html': renderStudyHtml(study, fragments),
    'report.md': tables.renderStudyMarkdown(study),
    'claims.csv': tables.claimsCsv(study),
    'legs.csv': tables.legsCsv(study),
    'contrasts.csv': tables.studyContrastsCsv(results),
    'figures.csv': tables.figuresCsv(results)
  }
  for (const [name, text] of Object.entries(texts)) await write(`${folder}/${name}`, text)
  return study
}
