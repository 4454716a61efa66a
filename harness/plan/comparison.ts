import type { Knob } from '../knobs/contract.js'
import { UsageError } from '../usage-error.js'
import type { Condition, Design } from '../types.js'
import { experimentFiles, isSweep, type ComparisonFile } from './experiment-file.js'
import { hasInterference, type SideSpec } from './traffic.js'

type KnobsFor = (specs: readonly string[]) => Knob[]

/** What is compared, before its load is chosen and calibrated. */
export interface Comparison {
  readonly name: string
  readonly question: string
  readonly design: Design
  readonly conditions: readonly Condition[]
  /** The file whose load, threads and model all conditions get. */
  readonly lead: ComparisonFile
  readonly threads?: number
  readonly model?: string
  readonly claims: readonly string[]
  readonly effects: readonly string[]
  readonly quiet: boolean
}

/** Everything that `--policy` can name. */
export function toggleNames (files = experimentFiles()): string[] {
  return files.filter(file => !isSweep(file)).map(file => file.name).sort()
}

/** `admission,pinning` → their files; unknown names are an error that lists what there is. */
export function parseToggles (text: string, files = experimentFiles()): ComparisonFile[] {
  const names = [...new Set(text.split(',').map(name => name.trim()).filter(name => name !== ''))]
  const known = toggleNames(files)
  if (names.length === 0) throw new UsageError(`--policy: no policy named; there are ${known.join(', ')}`)
  return names.map(name => {
    const file = files.find(each => each.name === name)
    if (file === undefined) throw new UsageError(`--policy: no such policy or mitigation: ${JSON.stringify(name)}; there are ${known.join(', ')}`)
    if (isSweep(file)) throw new UsageError(`--policy: ${name} is a sweep; type: npx harness run ${name}`)
    return file
  })
}

/**
 * One thing: before and after. Two: a 2×2. More: all off against all on. The load is that of the first thing with policies (they need an open
 * loop), else of the first.
 * @param quiet leave the interference out of all conditions
 */
export function comparisonOf (files: readonly ComparisonFile[], { quiet, knobsFor }: { readonly quiet: boolean, readonly knobsFor: KnobsFor }): Comparison {
  const names = files.map(file => file.name)
  const lead = files.find(file => (file.policies ?? []).length > 0) ?? files[0]
  if (lead === undefined) throw new UsageError('--policy: no policy named')
  const sided = files.find(file => file.before !== undefined || file.only !== undefined)
  if (sided !== undefined && files.length > 1) throw new UsageError(`--policy: ${sided.name} ${sided.only === undefined ? 'compares two sides of its own' : 'compares nothing'}; name it alone`)
  const setting = [...new Set(files.flatMap(file => file.setting ?? []))]
  if (quiet && setting.length === 0 && !hasInterference(lead.traffic ?? {})) throw new UsageError(`--no-setting: ${names.join(', ')} has no interference that could be left out`)
  const make = (id: string, on: readonly ComparisonFile[], rest: Partial<Condition> = {}) => conditionOf(id, files, on, quiet ? [] : setting, knobsFor, rest)
  const [threads, model] = [files.find(file => file.threads !== undefined)?.threads, files.find(file => file.model !== undefined)?.model]
  const common = { name: names.join('+'), lead, quiet, ...(threads === undefined ? {} : { threads }), ...(model === undefined ? {} : { model }) }
  const [a, b] = files
  if (files.length === 2 && a !== undefined && b !== undefined) {
    const onOff = (on: readonly ComparisonFile[]) => ({ factors: Object.fromEntries(files.map(file => [file.name, on.includes(file) ? 'on' : 'off'])) })
    return {
      ...common,
      question: `What do ${a.name} and ${b.name} do, alone and together?`,
      design: 'factorial',
      conditions: [
        make('none', [], onOff([])),
        make(a.name, [a], { ...onOff([a]), baseline: 'none' }),
        make(b.name, [b], { ...onOff([b]), baseline: 'none' }),
        make(`${a.name}+${b.name}`, [a, b], { ...onOff([a, b]), baseline: 'none' })
      ],
      claims: [],
      effects: [`a 2×2: what ${a.name} does, what ${b.name} does, and whether they do more or less together can be told apart; the claim of each needs its own comparison`]
    }
  }
  if (lead.only !== undefined) {
    return {
      ...common,
      question: lead.question,
      design: 'sweep',
      conditions: [make('on', files, sideOf(lead.only))],
      claims: lead.claim === undefined ? [] : [lead.claim],
      effects: ['nothing is compared: one condition, judged by its claim']
    }
  }
  return {
    ...common,
    question: files.length === 1 ? lead.question : `What do ${names.slice(0, -1).join(', ')} and ${names.at(-1)} do together?`,
    design: 'pairs',
    conditions: [make('before', [], sideOf(lead.before)), make('after', files, { ...sideOf(lead.after), baseline: 'before' })],
    claims: files.length === 1 && lead.claim !== undefined ? [lead.claim] : [],
    effects: files.length === 1 ? [] : [`${names.length} things are toggled at once: all off against all on, so their effects cannot be told apart and none of their claims is judged; name two for a 2×2, one for its claim`]
  }
}

function sideOf (side: SideSpec | undefined): Partial<Condition> {
  if (side === undefined) return {}
  const { title, policies = {}, tellsLimit, retry } = side
  return { title, policies: Object.keys(policies), policyOptions: policies, ...(tellsLimit === undefined ? {} : { tellsLimit }), ...(retry === undefined ? {} : { retry }) }
}

function conditionOf (id: string, all: readonly ComparisonFile[], on: readonly ComparisonFile[], setting: readonly string[], knobsFor: KnobsFor, rest: Partial<Condition>): Condition {
  const off = all.filter(file => !on.includes(file))
  const own = [...on.flatMap(file => file.knobs ?? []), ...off.flatMap(file => file.beforeKnobs ?? [])]
  assertCombines(all, [...new Set([...setting, ...own])], knobsFor)
  const titles = (specs: readonly string[]): string => knobsFor(specs).map(knob => knob.title).join('; ')
  const named = (files: readonly ComparisonFile[]): string => files.map(file => file.name).join(' and ')
  const state = on.length === 0 ? `without ${named(off)}` : `with ${named(on)}${off.length === 0 ? '' : `, without ${named(off)}`}`
  return {
    id,
    title: state + (own.length === 0 ? '' : ` (${titles(own)})`) + (setting.length === 0 ? '' : `, under: ${titles(setting)}`),
    policies: on.flatMap(file => file.policies ?? []),
    knobs: [...new Set([...setting, ...own])],
    factors: {},
    ...rest
  }
}

/** @throws UsageError that says which things do not go together, and why */
function assertCombines (files: readonly ComparisonFile[], knobs: readonly string[], knobsFor: KnobsFor): void {
  try {
    knobsFor(knobs)
  } catch (error) {
    if (files.length === 1 || !(error instanceof UsageError)) throw error
    throw new UsageError(`--policy: ${files.map(file => file.name).join(' and ')} cannot be combined: ${error.message}; name them one at a time`)
  }
}
