import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tools, toolTotals } from '../tools/index.js'
import type { BlockEvidence, BlockTools, ToolName } from '../types.js'
import { guards } from './evidence-schema.js'
import { onlyMissing, readLines } from './read-files.js'

/** What the tools whose output lies in this folder counted in the judged window; of one that did not run there is no file, or an empty one. */
export async function readTools (dir: string, { judgedFromMs, judgedToMs }: Pick<BlockEvidence, 'judgedFromMs' | 'judgedToMs'>): Promise<BlockTools> {
  const stamps = await readLines(join(dir, 'stamps.ndjson'), guards.stamp)
  const outputs = new Map<ToolName, string>()
  for (const { name } of tools) {
    const text = await readFile(join(dir, `${name}.txt`), 'latin1').catch(onlyMissing(undefined))
    if (text !== undefined) outputs.set(name, text)
  }
  return toolTotals(name => outputs.get(name), stamps.items, { fromMs: judgedFromMs, toMs: judgedToMs })
}
