import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { DEFAULT_MODEL_NAME } from '../../models/catalogue.js'
import { packBank, readBank, shippedBank } from '../analyse/bank.js'
import { relabelAA } from '../analyse/evaluate-aa.js'
import { readEvidence } from '../analyse/read.js'
import { presets } from '../plan/presets.js'
import { defaultClasses } from '../plan/workload.js'
import { createProgress } from '../render/progress.js'
import { runExperiment } from '../run/experiment.js'
import type { Condition } from '../types.js'
import { UsageError } from '../usage-error.js'
import { wholeNumber } from './options.js'

/** `harness selftest`: how often the shipped analysis cries wolf on real blocks of equal arms. Exit code 1 when above the bound. */
export function selftestCommand (): Command {
  return new Command('selftest')
    .description('A/A: relabel real blocks of equal arms at random; count better and worse')
    .option('--relabellings <n>', 'random relabellings', wholeNumber(100, 100_000), 2000)
    .option('--seed <n>', 'seed of the relabellings', wholeNumber(0, 2 ** 31 - 1), 1)
    .addOption(new Option('--bank <file>', 'bank of blocks, .json.gz').default(shippedBank, 'the one that comes with Weir'))
    .option('--record <pairs>', 'measure a new bank of this many pairs first and write it to --bank', wholeNumber(4, 100))
    .action(async (options: { relabellings: number, seed: number, bank: string, record?: number }) => {
      const file = options.bank
      if (options.record !== undefined) {
        if (file === shippedBank) throw new UsageError('--record writes a new bank: name its file with --bank FILE')
        await record(options.record, file)
      }
      if (!existsSync(file)) throw new UsageError(`--bank: ${file} does not exist; measure one with --record 20 (about 13 minutes)`)
      const bank = readBank(file)
      const alarms = relabelAA(bank, options)
      console.log(`${alarms.bank} blocks of equal arms, ${alarms.relabellings} relabellings to ${alarms.pairs} pairs:`)
      console.log(`better ${alarms.better}, worse ${alarms.worse}, equivalent ${alarms.equivalent}, cannot say ${alarms.cannotSay}`)
      console.log(`false alarms ${(100 * alarms.rate).toFixed(2)} %, 99 % binomial bound of alpha ${bank.plan.alpha}: ${(100 * alarms.bound).toFixed(2)} %: ${alarms.holds ? 'holds' : 'DOES NOT HOLD'}`)
      if (!alarms.holds) process.exitCode = 1
    })
}

/** Both arms are the same: admission at 2× capacity. */
async function record (pairs: number, file: string): Promise<void> {
  const folder = resolve(`results/${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}-a-a`)
  const same = (id: string): Condition => ({ id, title: 'with admission', policies: ['admission'], knobs: [], factors: {} })
  const preset = { ...presets.laptop, pairs, windowSeconds: { usual: 6, longest: 6 }, capacityAgain: false, spareShare: 0 }
  const progress = createProgress(process.stderr, 2 * pairs * 16)
  try {
    await runExperiment({
      experiment: 'a-a',
      question: 'Are equal arms called equal?',
      design: 'pairs',
      conditions: [same('before'), { ...same('after'), baseline: 'before' }],
      quiet: false,
      effects: [],
      claims: [],
      preset,
      repeats: pairs,
      load: { kind: 'open-loop', classes: defaultClasses, rate: { timesCapacity: 2 }, slots: 4 },
      seed: 1,
      model: DEFAULT_MODEL_NAME,
      folder,
      signal: new AbortController().signal,
      progress
    })
  } finally {
    progress.done()
  }
  writeFileSync(file, packBank(await readEvidence(folder)))
  rmSync(folder, { recursive: true })
}
