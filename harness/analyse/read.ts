import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Block, Evidence } from '../types.js'
import { guards } from './evidence-schema.js'
import { migrateBlock, migratePlan } from './migrate.js'
import { isOpenLoop } from './plan-kind.js'
import { onlyMissing, optional, parsed, readLines, required } from './read-files.js'
import { readTools } from './read-tools.js'
import { slotStaysIn } from './slot-log.js'

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
  const log = withGateway ? await optional(join(dir, 'llama-server.log')) : undefined
  const counted = evidence.tools === undefined ? undefined : await readTools(join(dir, 'tools'), evidence)
  // A server that was killed before it was ready had no load.
  const ofLoad = evidence.serverEnd?.during === 'start' ? [] : [...calls.warnings, ...samples.warnings, ...records.warnings]
  const warnings = [...evidence.warnings, ...ofLoad]
  return { evidence: { ...evidence, warnings }, calls: calls.items, samples: samples.items, records: records.items, ...(log === undefined ? {} : { slotStays: slotStaysIn(log) }), ...(counted === undefined ? {} : { tools: counted }) }
}
