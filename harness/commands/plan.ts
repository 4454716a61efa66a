import { Command, Option } from 'commander'
import { presets } from '../plan/presets.js'
import { studyPlanLines } from '../render/study/plan.js'
import { studyList } from '../study/list.js'
import { planStudy } from '../study/plan.js'
import { budgetMinutes } from '../study/sizes.js'
import type { PresetName } from '../types.js'
import { presetHelp } from './options.js'
import { hostOf, parseOnly, runOf } from './study-asked.js'

interface PlanOptions {
  readonly preset: PresetName
  readonly json?: true
}

/** `harness plan`: what a study, or some of its experiments, would do and could show. Starts no server. */
export function planCommand (): Command {
  return new Command('plan')
    .description('print order, time and supported percentiles of a study, or of some of its experiments; measures nothing')
    .argument('[names...]', 'experiments of the study; study, or nothing: all of it')
    .addOption(new Option('--preset <name>', presetHelp(({ name }) => `at most ${budgetMinutes[name]} min`)).choices(Object.keys(presets)).default('laptop'))
    .option('--json', 'print the plan as JSON')
    .action(async (names: readonly string[], { preset, json }: PlanOptions) => {
      const list = studyList()
      const only = names.length === 0 || names.join() === 'study' ? undefined : parseOnly(names.join(','), list)
      const plan = await planStudy({ list, preset, ...(only === undefined ? {} : { only }), seed: 1, createdAt: new Date().toISOString(), runOf, hostOf })
      process.stdout.write((json === true ? JSON.stringify(plan, null, 2) : studyPlanLines(plan, 80).join('\n')) + '\n')
    })
}
