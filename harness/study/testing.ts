import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { extract } from 'tar'
import { packageRoot } from '../package-root.js'
import type { PlannedExperiment, StudyPlan } from './plan.js'
import type { Size } from './sizes.js'

/** Stored runs that stand for measured ones. For tests only. */
export const storedRuns = ['pinning', 'cpu-weight', 'warmup'] as const

export function plannedFor (name: string, changed: Partial<PlannedExperiment> = {}): PlannedExperiment {
  const size: Size = { preset: 'laptop' }
  return { id: name, name, quiet: false, serves: 'system-mitigation', host: 'local', size, seed: 1, question: 'Does it?', claims: [], blocks: 16, expectedSeconds: 60, cannotShow: [], ...changed }
}

export function studyPlanOf (experiments: readonly PlannedExperiment[]): StudyPlan {
  return {
    schemaVersion: 1,
    preset: 'laptop',
    seed: 1,
    budgetMinutes: 75,
    expectedSeconds: 180,
    requirements: [{ id: 'concurrency', kind: 'factor', asks: 'How?' }, { id: 'system-mitigation', kind: 'mitigation', needs: 2, asks: 'What do they give back?' }],
    experiments,
    leftOut: [{ id: 'concurrency', serves: 'concurrency', because: 'no time in 75 min' }],
    createdAt: '2026-01-01T00:00:00.000Z'
  }
}

/** Unpacks them once below `folder`; gives a function that copies one to where a study wants it, as if it had been measured there. */
export async function measuredIn (folder: string): Promise<(name: string, into: string) => void> {
  for (const name of storedRuns) {
    mkdirSync(`${folder}/${name}`, { recursive: true })
    await extract({ file: `${packageRoot()}/bench/measured/${name}.tar.gz`, cwd: `${folder}/${name}`, strip: 1 })
  }
  return (name, into) => {
    cpSync(`${folder}/${name}`, into, { recursive: true })
    rmSync(`${into}/calibration`, { recursive: true, force: true })
  }
}
