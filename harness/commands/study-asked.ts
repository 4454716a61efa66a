import { findGroupHost } from '../cgroups/index.js'
import { parseKnobs } from '../knobs/index.js'
import { experimentFiles, isSweep } from '../plan/experiment-file.js'
import { controllersOf } from '../run/knob-stages.js'
import type { HostOfRun, PlannedRun } from '../run/planned-run.js'
import { idOf, type StudyExperiment, type StudyList } from '../study/list.js'
import type { RunOf } from '../study/plan.js'
import { UsageError } from '../usage-error.js'
import { comparisonRun } from './compare.js'
import { chooseHost } from './host.js'
import { sweepRun } from './run.js'

/** As `harness compare` and `harness run` would run it. */
export const runOf: RunOf = ({ name, quiet, model, seed }, size): PlannedRun => {
  const options = { preset: size.preset, seed, ...(model === undefined ? {} : { model }), ...(size.repeats === undefined ? {} : { repeats: size.repeats }) }
  const sweep = experimentFiles().some(file => file.name === name && isSweep(file))
  return sweep ? sweepRun(name, { ...options, ...(size.cells === undefined ? {} : { cells: size.cells }) }) : comparisonRun({ ...options, policy: name, setting: quiet !== true })
}

let groupHost: ReturnType<typeof findGroupHost> | undefined

/** `local`: here, wherever the groups can be made at all; else as `--host auto`. */
export async function hostOf ({ input }: PlannedRun, asked: StudyExperiment['host']): Promise<HostOfRun> {
  const knobs = input.conditions.flatMap(({ knobs }) => parseKnobs(knobs))
  groupHost ??= findGroupHost()
  const found = await groupHost
  if (asked === 'local' && found.ok && controllersOf(knobs).every(controller => found.controllers.includes(controller))) return { host: 'local' }
  return await chooseHost('auto', knobs, async () => found)
}

/**
 * `only` as typed: ids and names, comma-separated.
 * @throws UsageError about one that the study does not have
 */
export function parseOnly (text: string | undefined, { experiments, leftOut }: StudyList): string[] | undefined {
  if (text === undefined) return undefined
  const names = text.split(',').map(name => name.trim()).filter(name => name !== '')
  const known = [...new Set(experiments.flatMap(each => [idOf(each), each.name]))]
  for (const name of names.length === 0 ? [''] : names) {
    if (known.includes(name)) continue
    const why = leftOut.find(each => each.name === name)?.because
    throw new UsageError(`the study has no experiment ${JSON.stringify(name)}${why === undefined ? '' : ` (${why})`}; it has ${known.join(', ')}`)
  }
  return names
}
