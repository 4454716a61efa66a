import { readdirSync, readFileSync } from 'node:fs'
import { UsageError } from '../usage-error.js'
import { packageRoot } from '../package-root.js'
import type { Condition } from '../types.js'
import { policyNames } from './policies.js'

/** A question as data: a file in bench/experiments. */
export interface ExperimentFile {
  readonly name: string
  /** Policies toggled between the conditions. */
  readonly policies: readonly string[]
  readonly question: string
  /** As `--rate` takes it. */
  readonly rate: string
  /** As `--mix` takes it. */
  readonly mix: string
  readonly claim?: string
}

/** `admission,prompt-cap` → names; unknown ones are an error that lists what there is. */
export function parsePolicies (text: string): string[] {
  const names = text.split(',').map(name => name.trim()).filter(name => name !== '')
  const known = policyNames()
  if (names.length === 0) throw new UsageError(`--policy: no policy named; there are ${known.join(', ')}`)
  for (const name of names) {
    if (!known.includes(name)) throw new UsageError(`--policy: no such policy: ${JSON.stringify(name)}; there are ${known.join(', ')}`)
  }
  return [...new Set(names)]
}

/** The experiment file that toggles just these policies; several policies without a file of their own take the first one's workload. */
export function experimentFor (policies: readonly string[]): ExperimentFile {
  const folder = `${packageRoot()}/bench/experiments`
  const files = readdirSync(folder).filter(name => name.endsWith('.json')).sort()
    .map(name => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')) as ExperimentFile)
  const wanted = [...policies].sort().join()
  const exact = files.find(file => [...file.policies].sort().join() === wanted)
  const first = files.find(file => file.policies.length === 1 && file.policies[0] === policies[0])
  const found = exact ?? first
  if (found === undefined) throw new UsageError(`no experiment in bench/experiments toggles ${policies.join(', ')}`)
  return exact ?? { ...found, name: policies.join('+'), policies: [...policies] }
}

/** Without and with these policies; everything else is the same in both. */
export function conditionsOf (policies: readonly string[]): Condition[] {
  return [
    { id: 'before', title: `without ${policies.join(' and ')}`, policies: [], knobs: [], factors: {} },
    { id: 'after', title: `with ${policies.join(' and ')}`, policies, knobs: [], factors: {}, baseline: 'before' }
  ]
}
