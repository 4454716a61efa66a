import { readdirSync, readFileSync } from 'node:fs'
import { UsageError } from '../usage-error.js'
import { packageRoot } from '../package-root.js'
import type { Condition } from '../types.js'

/** A question as data: a file in bench/experiments. */
export interface ExperimentFile {
  readonly name: string
  /** Policies toggled between the arms. */
  readonly policies: readonly string[]
  readonly question: string
  /** As `--rate` takes it. */
  readonly rate: string
  /** As `--mix` takes it. */
  readonly mix: string
}

/** Gateway configuration of each policy that `compare` can toggle, for a limit in milliseconds. */
const policyConfigs: Readonly<Record<string, (ttftLimitMs: number) => Readonly<Record<string, unknown>>>> = {
  admission: ttftLimitMs => ({ name: 'admission', slots: 'auto', ttftLimitMs }),
  'prompt-cap': () => ({ name: 'prompt-cap', maxPromptTokens: 128, maxTokens: 4096 })
}

/** Outermost first: what refuses without a place comes before what hands out places. */
const policyOrder = ['prompt-cap', 'admission'] as const

export function policyNames (): string[] {
  return Object.keys(policyConfigs).sort()
}

export function gatewayPolicies (names: readonly string[], ttftLimitMs: number): Array<Readonly<Record<string, unknown>>> {
  return policyOrder.filter(name => names.includes(name)).map(name => policyConfigs[name]?.(ttftLimitMs) ?? {})
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

/** Without and with these policies; everything else is the same in both arms. */
export function conditionsOf (policies: readonly string[]): Condition[] {
  return [
    { id: 'before', title: `without ${policies.join(' and ')}`, policies: [] },
    { id: 'after', title: `with ${policies.join(' and ')}`, policies }
  ]
}
