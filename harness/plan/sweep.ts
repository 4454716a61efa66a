import type { Knob } from '../knobs/contract.js'
import { bytesOf } from '../knobs/values.js'
import { UsageError } from '../usage-error.js'
import type { Condition, StreamsOverrides, StreamsWorkload } from '../types.js'
import type { StreamsSpec, SweepCell, SweepFile } from './experiment-file.js'

type KnobsFor = (specs: readonly string[]) => Knob[]

/**
 * The conditions of a sweep: its cells, then one for each combination of the points of its grid's axes (ids joined by `-`, knobs in order,
 * factors and what they change of the workload together). `baseline` names a condition, or a point of an axis: then each condition has the one that differs from it in that axis only.
 * @throws UsageError about ids that are there twice, a baseline that is nowhere, or knobs that do not parse
 */
export function conditionsOfSweep (file: SweepFile, knobsFor: KnobsFor): Condition[] {
  const combined = combinations(file.grid ?? [])
  const cells = [...(file.cells ?? []).map(cell => ({ cell, points: [cell] })), ...combined.map(points => ({ cell: merged(points), points }))]
  const ids = cells.map(({ cell }) => cell.id)
  const twice = ids.find((id, i) => ids.indexOf(id) !== i)
  if (twice !== undefined) throw new UsageError(`${file.name}: two cells are named ${twice}; give each an id of its own`)
  const conditions = cells.map(({ cell, points }) => conditionOf(file, cell, baselineOf(file, points, ids), knobsFor))
  if (!conditions.some(({ baseline }) => baseline !== undefined)) {
    throw new UsageError(`${file.name}: the baseline ${file.baseline} is no cell and no point of the grid; there are ${ids.join(', ')}`)
  }
  return [...conditions, ...probesOf(file, knobsFor)]
}

/**
 * The named conditions and their baselines, in the sweep's order.
 * @param cells ids, comma-separated; undefined: all
 * @throws UsageError about an id that is none
 */
export function onlyCells (conditions: readonly Condition[], cells: string | undefined): readonly Condition[] {
  if (cells === undefined) return conditions
  const ids = cells.split(',').map(id => id.trim()).filter(id => id !== '')
  const unknown = ids.find(id => !conditions.some(condition => condition.id === id))
  if (unknown !== undefined || ids.length === 0) throw new UsageError(`--cells: no such condition: ${JSON.stringify(unknown ?? cells)}; there are ${conditions.map(({ id }) => id).join(', ')}`)
  const wanted = new Set(ids)
  for (const { id, baseline } of conditions) if (ids.includes(id) && baseline !== undefined) wanted.add(baseline)
  return conditions.filter(({ id }) => wanted.has(id))
}

/** One condition for each step of the file's search. */
function probesOf ({ name, search, setting = [] }: SweepFile, knobsFor: KnobsFor): Condition[] {
  if (search === undefined) return []
  if (bytesOf('search.from', search.from, 1) >= bytesOf('search.to', search.to, 1)) throw new UsageError(`${name}: the search goes from ${search.from} to ${search.to}; it must go upwards`)
  const titles = knobsFor(setting).map(knob => knob.title)
  return Array.from({ length: search.probes }, (_, i) => ({
    id: `probe-${i + 1}`,
    title: [...titles, `step ${i + 1} of a binary search for the memory limit of the cliff, ${search.from} to ${search.to}`].join('; '),
    policies: [],
    knobs: setting,
    factors: search.factors ?? {},
    probe: i + 1
  }))
}

function combinations (axes: ReadonlyArray<readonly SweepCell[]>): SweepCell[][] {
  return axes.length === 0 ? [] : axes.reduce<SweepCell[][]>((rows, axis) => rows.flatMap(row => axis.map(point => [...row, point])), [[]])
}

function merged (points: readonly SweepCell[]): SweepCell {
  return points.slice(1).reduce((whole, { id, knobs = [], factors = {}, workload = {}, ...rest }) => ({
    ...whole,
    ...rest,
    id: `${whole.id}-${id}`,
    knobs: [...whole.knobs ?? [], ...knobs],
    factors: { ...whole.factors, ...factors },
    workload: { ...whole.workload, ...workload }
  }), points[0] ?? { id: '' })
}

/** Undefined for the baselines themselves. */
function baselineOf ({ baseline, grid = [] }: SweepFile, points: readonly SweepCell[], ids: readonly string[]): string | undefined {
  const own = points.map(({ id }) => id)
  if (ids.includes(baseline)) return own.join('-') === baseline ? undefined : baseline
  const axis = grid.findIndex(axis => axis.some(({ id }) => id === baseline))
  if (axis < 0 || own[axis] === undefined || own[axis] === baseline || points.length !== grid.length) return undefined
  return own.with(axis, baseline).join('-')
}

function conditionOf ({ setting = [] }: SweepFile, cell: SweepCell, baseline: string | undefined, knobsFor: KnobsFor): Condition {
  const knobs = [...setting, ...cell.knobs ?? []]
  const titles = [
    ...knobsFor(knobs).map(knob => knob.title),
    ...(cell.threads === undefined ? [] : [`${cell.threads} thread${cell.threads === 1 ? '' : 's'}`]),
    ...(cell.model === undefined ? [] : [`model ${cell.model}`]),
    ...loadTitles(cell.workload ?? {})
  ]
  return {
    id: cell.id,
    title: titles.join('; ') || 'undisturbed',
    policies: [],
    knobs,
    factors: cell.factors ?? {},
    ...(cell.threads === undefined ? {} : { threads: cell.threads }),
    ...(cell.model === undefined ? {} : { model: cell.model }),
    ...(Object.keys(cell.workload ?? {}).length === 0 ? {} : { workload: cell.workload ?? {} }),
    ...(baseline === undefined ? {} : { baseline })
  }
}

/** What readers of a report know it by; how long the load lasts tells them nothing. */
function loadTitles ({ clients, slots, promptWords, predictTokens, cachePrompt, warmupCalls }: StreamsOverrides): string[] {
  const counted = (n: number | undefined, one: string, more = `${one}s`): string[] => n === undefined ? [] : [`${n} ${n === 1 ? one : more}`]
  return [
    ...counted(clients, 'client'),
    ...counted(slots, 'slot'),
    ...counted(promptWords, 'word in the prompt', 'words in the prompt'),
    ...counted(predictTokens, 'token out', 'tokens out'),
    ...(cachePrompt === undefined ? [] : [cachePrompt ? 'prompt cache on' : 'prompt cache off']),
    ...(warmupCalls === undefined ? [] : warmupCalls === 0 ? ['no call before it'] : counted(warmupCalls, 'call before it', 'calls before it'))
  ]
}

const defaults = { clients: 1, promptWords: 16, warmupCalls: 1, patienceSeconds: 120 }

export function streamsOf (spec: StreamsSpec): StreamsWorkload {
  return { ...defaults, ...spec }
}
