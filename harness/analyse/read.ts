import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { ValidateFunction } from 'ajv'
import { tools, toolTotals } from '../tools/index.js'
import type { Block, BlockEvidence, BlockTools, Evidence, ToolName } from '../types.js'
import { guards } from './evidence-schema.js'
import { migrateBlock, migratePlan } from './migrate.js'
import { isOpenLoop } from './plan-kind.js'

/**
 * Reads a run's folder: plan.json, manifest.json and blocks/NN-CONDITION/{block.json, calls.ndjson, samples.ndjson,
 * gateway.ndjson, tools/*.txt} (gateway.ndjson only of an open loop); of schema version 1, too. A block without block.json was not finished and is left out; a last line that was cut in the middle is dropped, and a
 * missing samples or gateway file is empty, each with a warning in its block.
 * @throws with file and line when anything else cannot be read
 */
export async function readEvidence (dir: string): Promise<Evidence> {
  const planFile = join(dir, 'plan.json')
  const planText = await required(planFile, `${dir} is not a run: give the folder that has plan.json in it`)
  const manifestFile = join(dir, 'manifest.json')
  const manifestText = await required(manifestFile, 'the run was stopped before its first block; run it again')
  const names = (await readdir(join(dir, 'blocks')).catch(onlyMissing([]))).filter(name => /^\d+-[\w.+-]+$/.test(name)).sort()
  const plan = parsed(planText, guards.plan, planFile, migratePlan)
  const blocks: Block[] = []
  for (const name of names) {
    const block = await readBlock(join(dir, 'blocks', name), isOpenLoop(plan))
    if (block !== undefined) blocks.push(block)
  }
  return {
    plan,
    planSha256: createHash('sha256').update(planText).digest('hex'),
    manifest: parsed(manifestText, guards.manifest, manifestFile),
    blocks
  }
}

async function readBlock (dir: string, withGateway: boolean): Promise<Block | undefined> {
  const file = join(dir, 'block.json')
  const text = await optional(file)
  if (text === undefined) return undefined
  const evidence = parsed(text, guards.block, file, migrateBlock)
  const calls = await readLines(join(dir, 'calls.ndjson'), guards.call)
  const samples = await readLines(join(dir, 'samples.ndjson'), guards.sample)
  const records = withGateway ? await readLines(join(dir, 'gateway.ndjson'), guards.record, value => value.msg === 'call') : { items: [], warnings: [] }
  const counted = evidence.tools === undefined ? undefined : await readTools(join(dir, 'tools'), evidence)
  const warnings = [...evidence.warnings, ...calls.warnings, ...samples.warnings, ...records.warnings]
  return { evidence: { ...evidence, warnings }, calls: calls.items, samples: samples.items, records: records.items, ...(counted === undefined ? {} : { tools: counted }) }
}

/** Of a tool that did not run there is no file, or an empty one. */
async function readTools (dir: string, { judgedFromMs, judgedToMs }: BlockEvidence): Promise<BlockTools> {
  const stamps = await readLines(join(dir, 'stamps.ndjson'), guards.stamp)
  const outputs = new Map<ToolName, string>()
  for (const { name } of tools) {
    const text = await readFile(join(dir, `${name}.txt`), 'latin1').catch(onlyMissing(undefined))
    if (text !== undefined) outputs.set(name, text)
  }
  return toolTotals(name => outputs.get(name), stamps.items, { fromMs: judgedFromMs, toMs: judgedToMs })
}

interface Lines<T> { readonly items: T[], readonly warnings: string[] }

/** @param wanted lines that it refuses are skipped unchecked (other messages in a log) */
async function readLines<T> (file: string, guard: ValidateFunction<T>, wanted: (value: { msg?: unknown }) => boolean = () => true): Promise<Lines<T>> {
  const text = await optional(file)
  if (text === undefined) return { items: [], warnings: [`${basename(file)} is missing`] }
  const lines = text.split('\n')
  // What follows the last newline is nothing, a line whose newline is missing, or a line cut while it was written.
  const tail = lines.at(-1) ?? ''
  const cut = tail !== '' && !isJson(tail)
  if (cut) lines.pop()
  const items: T[] = []
  lines.forEach((line, i) => {
    if (line === '') return
    const place = `${file}:${i + 1}`
    const value = json(line, place)
    if (wanted(Object(value))) items.push(checked(value, guard, place))
  })
  return { items, warnings: cut ? [`${basename(file)}:${lines.length + 1}: the last line was cut and is dropped`] : [] }
}

function parsed<T> (text: string, guard: ValidateFunction<T>, file: string, migrate: (value: unknown) => unknown = value => value): T {
  return checked(migrate(json(text, file)), guard, file)
}

function json (text: string, place: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`${place}: not JSON (${error instanceof Error ? error.message : String(error)}): ${text.slice(0, 60)}; the evidence was changed or damaged`)
  }
}

function isJson (text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function checked<T> (value: unknown, guard: ValidateFunction<T>, place: string): T {
  if (guard(value)) return value
  const fault = guard.errors?.[0]
  throw new Error(`${place}: ${fault?.instancePath ?? ''} ${fault?.message ?? 'is not valid'}; the evidence was changed, damaged or written by another version`)
}

async function required (file: string, advice: string): Promise<string> {
  const text = await optional(file)
  if (text === undefined) throw new Error(`${file} is missing; ${advice}`)
  return text
}

async function optional (file: string): Promise<string | undefined> {
  return await readFile(file, 'utf8').catch(onlyMissing(undefined))
}

function onlyMissing<T> (instead: T): (error: unknown) => T {
  return error => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return instead
    throw error
  }
}
