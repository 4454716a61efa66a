import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { analyse } from '../analyse/analyse.js'
import { readEvidence } from '../analyse/read.js'
import { UsageError } from '../usage-error.js'

/** `harness report DIR`: every number again from the raw files. */
export function reportCommand (): Command {
  return new Command('report')
    .description('compute result and report of a run folder again from its raw files')
    .argument('<dir>', 'run folder, e.g. results/2026-01-31T12-00-00-admission')
    .option('--json', 'print result.json on stdout instead of the summary')
    .action(async (dir: string, options: { json?: true }) => await rerender(dir, options.json === true))
}

export async function rerender (folder: string, json: boolean): Promise<void> {
  if (!existsSync(`${folder}/plan.json`)) throw new UsageError(`report: ${folder} is not a run folder: it has no plan.json; give a folder that harness compare wrote, such as results/DATE-admission`)
  // Charts take a second to load: only when they are drawn.
  const { renderSummary, writeReport } = await import('../render/index.js')
  const evidence = await readEvidence(folder)
  const result = analyse(evidence)
  const paths = await writeReport(folder, evidence, result)
  if (json) {
    process.stdout.write(JSON.stringify(result, null, 2) + '\n')
    return
  }
  process.stdout.write(renderSummary(result, { colour: process.stdout.isTTY, width: 80 }) + '\n')
  const html = paths.find(path => path.endsWith('.html'))
  process.stdout.write(`\nReport: ${html ?? folder}\n`)
}
