import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { analyse } from '../analyse/analyse.js'
import { readEvidence } from '../analyse/read.js'
import { isStudyFolder, writeStudyReport } from '../study/report.js'
import type { Result } from '../types.js'
import { UsageError } from '../usage-error.js'

/** `harness report DIR`: every number again from the raw files. */
export function reportCommand (): Command {
  return new Command('report')
    .description('compute result and report of a run, or of a whole study, again from its raw files')
    .argument('<dir>', 'folder of a run or of a study, e.g. results/2026-01-31T12-00-00-admission')
    .option('--json', 'print result.json (of a study: study.json) on stdout instead of the summary')
    .action(async (dir: string, options: { json?: true }) => await rerender(dir, options.json === true))
}

export async function rerender (folder: string, json: boolean): Promise<void> {
  if (isStudyFolder(folder)) return await rerenderStudy(folder, json)
  if (!existsSync(`${folder}/plan.json`)) throw new UsageError(`report: ${folder} is not a run folder: it has no plan.json; give a folder that harness compare, run or study wrote, such as results/DATE-admission`)
  const { result, paths } = await writeRunReport(folder)
  if (json) {
    process.stdout.write(JSON.stringify(result, null, 2) + '\n')
    return
  }
  const { renderSummary } = await import('../render/index.js')
  process.stdout.write(renderSummary(result, { colour: process.stdout.isTTY, width: 80 }) + '\n')
  const html = paths.find(path => path.endsWith('.html'))
  process.stdout.write(`\nReport: ${html ?? folder}\n`)
}

async function rerenderStudy (folder: string, json: boolean): Promise<void> {
  const study = await writeStudyReport(folder)
  if (json) {
    process.stdout.write(JSON.stringify(study, null, 2) + '\n')
    return
  }
  const { studySummary } = await import('../render/study/tables.js')
  process.stdout.write(`${studySummary(study, 80)}\nReport: ${folder}/report.html\n`)
}

export async function writeRunReport (folder: string): Promise<{ readonly result: Result, readonly paths: readonly string[] }> {
  // Charts take a second to load: only when they are drawn.
  const { writeReport } = await import('../render/index.js')
  const evidence = await readEvidence(folder)
  const result = analyse(evidence)
  return { result, paths: await writeReport(folder, evidence, result) }
}
