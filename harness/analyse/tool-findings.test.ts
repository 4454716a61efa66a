import t from 'tap'
import type { Block, PidstatTotals, ToolRun } from '../types.js'
import { resultSchema } from '../result-schema.js'
import { Ajv } from 'ajv'
import { analyse } from './analyse.js'
import { simulateStreams } from './testing-streams.js'

/** A simulated run whose blocks were also seen by pidstat, which counted `factor` times the CPU time. */
function seenBy (factor: number, runs: readonly ToolRun[], knobs: readonly string[] = []) {
  const evidence = simulateStreams({ repeats: 1 })
  const plan = { ...evidence.plan, conditions: evidence.plan.conditions.map(condition => ({ ...condition, knobs })) }
  const blocks = evidence.blocks.map((block): Block => {
    const samples = block.samples.map(sample => ({ ...sample, cgroup: { 'cpu.stat.usage_usec': sample.process?.cpuUsec ?? 0 } }))
    const [first, last] = [samples[1], samples.at(-2)]
    const pidstat: PidstatTotals = {
      fromMs: first?.atMs ?? 0,
      toMs: last?.atMs ?? 0,
      cpuUsec: factor * ((last?.process?.cpuUsec ?? 0) - (first?.process?.cpuUsec ?? 0)),
      voluntarySwitches: 0,
      involuntarySwitches: 0,
      minorFaults: 0,
      majorFaults: 0
    }
    return { ...block, samples, tools: { pidstat }, evidence: { ...block.evidence, tools: runs } }
  })
  return analyse({ ...evidence, plan, blocks }, { cells: false })
}

const ran: ToolRun = { tool: 'pidstat', commandLine: ['pidstat'], cpuUsec: 20_000, ranMs: 4000 }

t.test('totals, comparisons and their cost are in the result, as its schema has them', async t => {
  const result = seenBy(1, [ran, { ...ran, tool: 'perf', cpuUsec: 40_000 }])
  for (const block of result.blocks) {
    t.ok(Math.abs((block.toolsCpuShare ?? 0) - 0.015) < 1e-9)
    t.ok(block.tools?.pidstat)
    t.same(block.crossChecks?.filter(({ quantity }) => quantity === 'CPU time of llama-server').map(({ source, agrees }) => [source, agrees]), [['/proc/PID/stat', true], ['cgroup cpu.stat', true]])
  }
  t.same(result.warnings.filter(warning => /tool/.test(warning)), [])
  const valid = new Ajv().compile(resultSchema)
  t.ok(valid(JSON.parse(JSON.stringify(result))), JSON.stringify(valid.errors))
})

t.test('company in the group: its CPU time is not compared', async t => {
  for (const block of seenBy(1, [ran], ['page-cache-hog=64M@group']).blocks) t.same(block.crossChecks?.filter(({ source }) => source === 'cgroup cpu.stat'), [])
})

t.test('disagreement, cost and an early end are said', async t => {
  const warnings = seenBy(1.5, [{ ...ran, cpuUsec: 200_000 }, { tool: 'perf', commandLine: ['perf'], missing: 'ended by itself (exit code 255): no' }, { tool: 'iostat', commandLine: ['iostat'], missing: 'not installed' }]).warnings
  t.match(warnings.find(warning => /disagree about CPU time/.test(warning)), /^two tools disagree about CPU time of llama-server \(pidstat %usr \+ %system against \/proc\/PID\/stat\) in 3 of 3 blocks; block \d+: /)
  t.match(warnings.find(warning => /% of a core/.test(warning)), /used up to 5 % of a core/)
  t.ok(warnings.includes('a second tool did not run to the end in 3 of 3 blocks: perf: ended by itself (exit code 255): no'))
  t.notOk(warnings.some(warning => /not installed/.test(warning)))
})

t.test('a run without other tools is as it was', async t => {
  const result = analyse(simulateStreams({ repeats: 1 }), { cells: false })
  t.ok(result.blocks.every(block => !('tools' in block) && !('crossChecks' in block)))
})
