import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { analyse } from '../analyse/analyse.js'
import { likenessOf, type Likeness } from '../analyse/diff/keys.js'
import { diffRuns } from '../analyse/diff/ratios.js'
import { readEvidence } from '../analyse/read.js'
import { differenceLines, renderDiff } from '../render/diff.js'
import { UsageError } from '../usage-error.js'

interface DiffOptions {
  readonly anyway?: true
  readonly all?: true
  readonly json?: true
}

const WIDTH = 80

/** `harness diff A B`: two stored runs, computed again from their raw files, figure by figure. */
export function diffCommand (): Command {
  return new Command('diff')
    .description('compare two stored runs of one experiment; unlike ones are refused, with the keys that differ (exit code 2)')
    .argument('<a>', 'run folder')
    .argument('<b>', 'run folder; ratios are b ÷ a')
    .option('--anyway', 'compare unlike runs, too; the output says so')
    .option('--all', 'every figure, not only latency, rates and goodput')
    .option('--json', 'print keys and figures as JSON')
    .action(diff)
}

async function diff (folderA: string, folderB: string, { anyway, all, json }: DiffOptions): Promise<void> {
  for (const folder of [folderA, folderB]) {
    if (!existsSync(`${folder}/plan.json`)) throw new UsageError(`diff: ${folder} is not a run folder: it has no plan.json; give a folder that harness compare or run wrote`)
  }
  const [evidenceA, evidenceB] = [await readEvidence(folderA), await readEvidence(folderB)]
  const likeness = likenessOf(evidenceA, evidenceB)
  if (likeness.matter.length > 0 && anyway === undefined) throw new UsageError(refusal(folderA, folderB, likeness))
  const [a, b] = [analyse(evidenceA), analyse(evidenceB)]
  const found = diffRuns(a, b)
  process.stdout.write(json === true
    ? JSON.stringify({ a: folderA, b: folderB, alike: likeness.matter.length === 0, ...likeness, ...found }, null, 2) + '\n'
    : renderDiff({ a, b, likeness, diff: found, all: all === true, width: WIDTH }) + '\n')
}

function refusal (a: string, b: string, { matter }: Likeness): string {
  return [
    `diff: ${a} and ${b} are not alike; ${matter.length === 1 ? 'this key differs' : `these ${matter.length} keys differ`}:`,
    ...differenceLines(matter, WIDTH),
    'Measure one of them again as the other was, or compare them with --anyway.'
  ].join('\n')
}
