import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { Type, type Static, type TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { streamsPrimaries, sweepMetrics } from '../analyse/outcomes.js'
import { packageRoot } from '../package-root.js'
import { UsageError } from '../usage-error.js'
import { asksWhenAnswered, faultIn, repeatsSchema, sideSchema, trafficSchema } from './traffic.js'

const closed = { additionalProperties: false }
const text = Type.String({ minLength: 1 })
const wholeFrom = (minimum: number) => Type.Integer({ minimum })
const knobs = Type.Array(text, { description: 'as typed: cpu-quota=500/1000' })

const streamsFields = {
  clients: wholeFrom(1),
  slots: wholeFrom(1),
  calls: wholeFrom(1),
  atLeastSeconds: Type.Number({ exclusiveMinimum: 0 }),
  promptWords: wholeFrom(1),
  cachePrompt: Type.Boolean(),
  predictTokens: wholeFrom(2),
  warmupCalls: wholeFrom(0),
  pauseSeconds: Type.Number({ minimum: 0 }),
  patienceSeconds: Type.Number({ exclusiveMinimum: 0 })
}
const overrides = Type.Partial(Type.Object(streamsFields), { ...closed, description: 'what this cell or point changes of the workload' })
const streams = Type.Composite([overrides, Type.Object({ kind: Type.Literal('streams'), calls: streamsFields.calls, predictTokens: streamsFields.predictTokens })], closed)

const vm = Type.Object({
  memoryMb: Type.Optional(Type.Integer({ minimum: 256, maximum: 65_536 })),
  cpus: Type.Optional(Type.Integer({ minimum: 1, maximum: 64 })),
  swapMb: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_536 }))
}, { ...closed, description: 'sizes of the VM, when it runs there: memory, CPUs, swap disk' })

const common = {
  name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]*$' }),
  question: text,
  setting: Type.Optional(Type.Array(text, { description: 'knobs of all conditions: the interference' })),
  threads: Type.Optional(wholeFrom(1)),
  model: Type.Optional(text),
  claim: Type.Optional(text),
  vm: Type.Optional(vm)
}

const comparison = Type.Object({
  ...common,
  kind: Type.Optional(Type.Literal('comparison')),
  policies: Type.Optional(Type.Array(text)),
  knobs: Type.Optional(knobs),
  beforeKnobs: Type.Optional(knobs),
  rate: Type.Optional(text),
  slots: Type.Optional(Type.Integer({ minimum: 1, maximum: 64, description: 'of llama-server, and so of the closed loops that say what its capacity is; default 4' })),
  mix: Type.Optional(text),
  traffic: Type.Optional(trafficSchema),
  before: Type.Optional(sideSchema),
  after: Type.Optional(sideSchema),
  only: Type.Optional(sideSchema),
  repeats: Type.Optional(repeatsSchema),
  workload: Type.Optional(streams),
  primary: Type.Optional(Type.Union(streamsPrimaries.map(metric => Type.Literal(metric))))
}, closed)

const factors = Type.Record(text, Type.Union([Type.Number(), text]))
const cellWith = (id: string) => Type.Object({
  id: Type.String({ pattern: id }),
  knobs: Type.Optional(knobs),
  factors: Type.Optional(factors),
  threads: Type.Optional(wholeFrom(1)),
  model: Type.Optional(text),
  workload: Type.Optional(overrides)
}, closed)
/** Ids of points are joined by `-`. */
const point = cellWith('^[A-Za-z0-9][A-Za-z0-9._+]*$')
const search = Type.Object({
  knob: Type.Literal('memory-max'),
  from: text,
  to: text,
  probes: Type.Integer({ minimum: 2, maximum: 12 }),
  factors: Type.Optional(factors)
}, { ...closed, description: 'looks for the cliff between two limits, one block a step' })

const sweep = Type.Object({
  ...common,
  kind: Type.Literal('sweep'),
  cells: Type.Optional(Type.Array(cellWith('^[A-Za-z0-9][A-Za-z0-9._+-]*$'))),
  grid: Type.Optional(Type.Array(Type.Array(point, { minItems: 1 }), { minItems: 1 })),
  search: Type.Optional(search),
  workload: streams,
  outcomes: Type.Optional(Type.Array(Type.Union(sweepMetrics.map(metric => Type.Literal(metric))), { minItems: 1, description: 'what its dose-response shows and its ratios are made of' })),
  baseline: text,
  repeats: Type.Optional(repeatsSchema)
}, closed)

/** A question about something that is toggled: a file in bench/experiments, named in `harness compare --policy`. */
export type ComparisonFile = Static<typeof comparison>
/** A dose-response: a file in bench/experiments, or anywhere, named in `harness run`. */
export type SweepFile = Static<typeof sweep>
export type SweepCell = Static<typeof point>
export type StreamsSpec = Static<typeof streams>
export type ExperimentFile = ComparisonFile | SweepFile

export function isSweep (file: ExperimentFile): file is SweepFile {
  return file.kind === 'sweep'
}

/** Those of bench/experiments, by name. */
export function experimentFiles (folder = `${packageRoot()}/bench/experiments`): ExperimentFile[] {
  return readdirSync(folder).filter(name => name.endsWith('.json')).sort().map(name => readExperiment(`${folder}/${name}`))
}

/** @throws UsageError that names file, place and what is allowed there */
export function readExperiment (path: string): ExperimentFile {
  if (!existsSync(path)) throw new UsageError(`${path} does not exist`)
  let json: unknown
  try {
    json = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new UsageError(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  return parseExperiment(json, basename(path))
}

export function parseExperiment (json: unknown, where: string): ExperimentFile {
  const ofSweep = typeof json === 'object' && json !== null && 'kind' in json && json.kind === 'sweep'
  if (ofSweep && Value.Check(sweep, json)) return checkedSweep(json, where)
  if (!ofSweep && Value.Check(comparison, json)) return checkedComparison(json, where)
  throw new UsageError(`${where}: ${firstFault(ofSweep ? sweep : comparison, json)}`)
}

function firstFault (schema: TSchema, json: unknown): string {
  const fault = Value.Errors(schema, json).First()
  return `${fault?.path.slice(1).replaceAll('/', '.') || 'the file'} is ${JSON.stringify(fault?.value)}: ${fault?.message ?? 'not allowed'}`
}

function checkedComparison (file: ComparisonFile, where: string): ComparisonFile {
  const { policies = [], knobs = [], beforeKnobs = [], workload, rate, mix, traffic, before, after, only, primary } = file
  const fault =
    policies.length + knobs.length + beforeKnobs.length === 0 && before === undefined && after === undefined && only === undefined
      ? 'nothing is toggled; give policies, knobs or beforeKnobs, or before and after, or what is asked about alone as only'
      : workload === undefined && ((rate === undefined && !asksWhenAnswered(traffic)) || (mix === undefined) === (traffic?.classes === undefined))
        ? 'no load; give rate and mix or traffic.classes (open loop through the gateway), traffic.workers or traffic.conversations instead of rate, or workload (streams straight to llama-server)'
        : workload !== undefined && (rate !== undefined || mix !== undefined || traffic !== undefined || before !== undefined || after !== undefined || only !== undefined)
          ? 'both workload and rate or mix are there, or traffic, before, after, only; streams have none of them'
          : workload !== undefined && policies.length > 0
            ? `policies ${policies.join(', ')} under streams: these go straight to llama-server, past the gateway; give rate and mix instead of workload`
            : workload === undefined && primary !== undefined
              ? `primary is ${primary}; only streams choose their primary outcome`
              : (before === undefined) !== (after === undefined)
                  ? 'one of before and after is there; give both, or toggle policies'
                  : before !== undefined && policies.length > 0
                    ? 'policies and before and after are there; the sides name their own policies'
                    : only !== undefined && (policies.length + knobs.length + beforeKnobs.length > 0 || before !== undefined)
                      ? 'only is there beside what is toggled; it is the one condition of an experiment that compares nothing'
                      : faultIn(traffic ?? {}, [before, after, only]) ?? (rate !== undefined && asksWhenAnswered(traffic) ? `rate is ${rate} and traffic has workers or conversations, which ask when they were answered; leave rate out` : undefined)
  if (fault !== undefined) throw new UsageError(`${where}: ${fault}`)
  return file
}

function checkedSweep (file: SweepFile, where: string): SweepFile {
  if ((file.cells ?? []).length + (file.grid ?? []).length === 0) throw new UsageError(`${where}: no cells; give cells, or a grid of axes whose points are combined`)
  return file
}
