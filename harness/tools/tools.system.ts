import t from 'tap'
import { readFileSync } from 'node:fs'
import { ensureModel } from '../../models/ensure-model.js'
import { ensureServer } from '../../models/install/index.js'
import { crossCheck } from '../analyse/cross-check.js'
import { samplerShare } from '../analyse/block-summary.js'
import { guards } from '../analyse/evidence-schema.js'
import { readTools } from '../analyse/read-tools.js'
import { runBlock } from '../run/block.js'
import { streamsBlock } from '../run/testing.js'
import type { Block, OsSample } from '../types.js'

/** What llama-server does so often in a second that two readers must be near each other, whatever else goes on. Faults and reads of a model already in memory are a handful. */
const COUNTED_MUCH = /CPU time|switches/

t.test('a llama-server under streams: two tools count the same', async t => {
  const binary = await ensureServer({ onProgress: text => t.comment(text) })
  const model = await ensureModel('tiny', { onProgress: () => {} })
  const base = streamsBlock(t, {})
  // Tools print once a second, and only whole seconds inside the load are compared.
  const workload = { kind: 'streams', clients: 2, calls: 12, atLeastSeconds: 12, promptWords: 8, predictTokens: 400, warmupCalls: 1, patienceSeconds: 120 } as const
  const input = { ...base, workload, server: { ...base.server, binary, model, threads: 2, slots: 2, slotContextTokens: 512 } }
  await runBlock(input)
  const evidence: unknown = JSON.parse(readFileSync(`${input.folder}/block.json`, 'utf8'))
  if (!guards.block(evidence)) throw new Error(JSON.stringify(guards.block.errors))
  t.same(evidence.tools?.map(({ tool, missing }) => [tool, missing]), [['pidstat', undefined], ['iostat', undefined], ['vmstat', undefined], ['perf', undefined]])
  const samples = readFileSync(`${input.folder}/samples.ndjson`, 'utf8').trim().split('\n').map(line => JSON.parse(line) as OsSample)
  const block: Block = { evidence, calls: [], samples, records: [], tools: await readTools(`${input.folder}/tools`, evidence) }
  const checks = crossCheck(block, { aloneInGroup: false })
  for (const { quantity, tool, theirs, source, ours, unit, tolerance } of checks) t.comment(`${quantity}: ${tool} ${theirs.toFixed(1)}, ${source} ${ours.toFixed(1)} ${unit}, tolerated ${tolerance.toFixed(1)}`)
  t.comment(`sampler ${(100 * samplerShare(block)).toFixed(2)} % of a CPU; tools ${evidence.tools?.map(({ tool, cpuUsec = 0, ranMs = 1 }) => `${tool} ${(cpuUsec / 10 / ranMs).toFixed(2)} %`).join(', ')}`)
  // Whether 2 % are kept is a matter of timing: on a busy machine a tool's second ends late. Here each must count the same thing; that it is told apart is tested with numbers.
  t.same(checks.filter(({ quantity }) => COUNTED_MUCH.test(quantity)).filter(({ theirs, ours }) => !(theirs > ours / 2 && theirs < ours * 2)), [])
  // The files of its threads are read as seldom as a busy machine makes them dear, and may not lie around the tools' window; of these two a second lies between two readings of ours in any case.
  for (const tool of ['pidstat %usr + %system', 'vmstat cs']) t.ok(checks.some(check => check.tool === tool), tool)
})
