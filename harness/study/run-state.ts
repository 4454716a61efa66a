import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { Ajv, type ValidateFunction } from 'ajv'
import { resultSchema } from '../result-schema.js'
import type { Plan, Result } from '../types.js'
import type { PlannedExperiment } from './plan.js'

/**
 * What lies in the folder of a run. `measured`: every planned block is there, and no valid result of this plan. `complete`: that, too. `other`: a whole run, but of
 * something else than the study's plan asks for.
 */
export type RunState = 'absent' | 'partial' | 'measured' | 'complete' | 'other'

const compiled: { validate?: ValidateFunction<Result> } = {}

export function stateOfRun (folder: string, planned: Pick<PlannedExperiment, 'name' | 'quiet' | 'size' | 'seed'>): RunState {
  if (!existsSync(folder)) return 'absent'
  const plan = json<Plan>(`${folder}/plan.json`)
  if (plan?.blocks === undefined || !existsSync(`${folder}/manifest.json`)) return 'partial'
  if (plan.experiment !== planned.name || plan.quiet !== planned.quiet || plan.preset !== planned.size.preset || plan.seed !== planned.seed) return 'other'
  const measured = plan.blocks.every(({ index, condition }) => existsSync(`${folder}/blocks/${String(index).padStart(2, '0')}-${condition}/block.json`))
  if (!measured) return 'partial'
  return isResultOf(folder) ? 'complete' : 'measured'
}

function isResultOf (folder: string): boolean {
  const result = json<Result>(`${folder}/result.json`)
  compiled.validate ??= new Ajv().compile<Result>(resultSchema)
  if (result === undefined || !compiled.validate(result)) return false
  const sha256 = createHash('sha256').update(readFileSync(`${folder}/plan.json`)).digest('hex')
  return result.complete && result.planSha256 === sha256 && existsSync(`${folder}/report.html`)
}

function json<T> (path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T
  } catch {
    return undefined
  }
}
