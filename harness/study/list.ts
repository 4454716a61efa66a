import { readFileSync } from 'node:fs'
import { Type, type Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { packageRoot } from '../package-root.js'
import { experimentFiles, isSweep } from '../plan/experiment-file.js'
import { hasInterference } from '../plan/traffic.js'
import { UsageError } from '../usage-error.js'

const closed = { additionalProperties: false }
const text = Type.String({ minLength: 1 })
const seconds = Type.Optional(Type.Number({ exclusiveMinimum: 0 }))

const requirement = Type.Object({
  id: text,
  kind: Type.Union([Type.Literal('factor'), Type.Literal('interference'), Type.Literal('mitigation')]),
  asks: text,
  needs: Type.Optional(Type.Integer({ minimum: 1, description: 'experiments with all claims SUPPORTED that it wants; default 1' }))
}, closed)

const experiment = Type.Object({
  name: text,
  serves: Type.String({ description: 'id of a requirement' }),
  quiet: Type.Optional(Type.Literal(true, { description: 'a mitigation without the interference that it is meant against' })),
  host: Type.Optional(Type.Literal('local', { description: 'on this machine wherever it can make the groups at all, also of version 1; absent: what needs groups needs those of version 2, here or in the VM' })),
  model: Type.Optional(Type.String({ description: 'instead of the experiment\'s own; on this machine only' })),
  glance: Type.Optional(Type.String({ minLength: 1, description: 'conditions of a sweep, comma-separated, that its smallest size has; absent: its first baseline, and the first and last that are contrasted with it' })),
  secondsPerBlock: Type.Optional(Type.Object({ local: seconds, vm: seconds }, { ...closed, description: 'as measured on two virtual CPUs, `vm` with an emulated CPU; absent: reckoned from typical speeds, which knows no interference' }))
}, closed)

const studyFile = Type.Object({
  requirements: Type.Array(requirement, { minItems: 1 }),
  experiments: Type.Array(experiment, { minItems: 1, description: 'in order of weight: the first have more of a preset\'s minutes' }),
  leftOut: Type.Array(Type.Object({ name: text, because: text }, closed))
}, closed)

/** bench/study.json: what a study asks, and by which experiments. */
export type StudyList = Static<typeof studyFile>
export type Requirement = Static<typeof requirement>
export type StudyExperiment = Static<typeof experiment>

/** Names its folder and its place in the report. */
export function idOf ({ name, quiet }: Pick<StudyExperiment, 'name' | 'quiet'>): string {
  return quiet === true ? `${name}-quiet` : name
}

export function studyList (path = `${packageRoot()}/bench/study.json`): StudyList {
  return parseStudy(JSON.parse(readFileSync(path, 'utf8')), path)
}

/** @throws UsageError that names place, value and what is allowed: fields, names of experiments and requirements, experiments that are there twice */
export function parseStudy (json: unknown, where: string, files = experimentFiles()): StudyList {
  if (!Value.Check(studyFile, json)) {
    const fault = Value.Errors(studyFile, json).First()
    throw new UsageError(`${where}: ${fault?.path.slice(1).replaceAll('/', '.') || 'the file'} is ${JSON.stringify(fault?.value)}: ${fault?.message ?? 'not allowed'}`)
  }
  const fault = firstFault(json, files)
  if (fault !== undefined) throw new UsageError(`${where}: ${fault}`)
  return json
}

function firstFault ({ requirements, experiments, leftOut }: StudyList, files: ReturnType<typeof experimentFiles>): string | undefined {
  const ids = experiments.map(idOf)
  const twice = ids.find((id, i) => ids.indexOf(id) !== i)
  if (twice !== undefined) return `the experiment ${twice} is there twice`
  for (const each of experiments) {
    const file = files.find(({ name }) => name === each.name)
    if (file === undefined) return `no experiment ${JSON.stringify(each.name)}; bench/experiments has ${files.map(({ name }) => name).join(', ')}`
    if (!requirements.some(({ id }) => id === each.serves)) return `${idOf(each)} serves ${JSON.stringify(each.serves)}, which is no requirement; there are ${requirements.map(({ id }) => id).join(', ')}`
    if (each.quiet === true && (isSweep(file) || ((file.setting ?? []).length === 0 && !hasInterference(file.traffic ?? {})))) return `${idOf(each)}: ${each.name} has no interference that could be left out`
  }
  const forgotten = files.find(({ name }) => ![...experiments, ...leftOut].some(each => each.name === name))
  return forgotten === undefined ? undefined : `bench/experiments/${forgotten.name}.json is not in the study: add { "name": ${JSON.stringify(forgotten.name)}, "serves": … } to experiments, or say in leftOut why it is not`
}
