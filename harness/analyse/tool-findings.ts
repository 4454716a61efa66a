import type { Block, BlockSummary, Plan } from '../types.js'
import { crossCheck } from './cross-check.js'
import { number } from './verdict.js'

/** Of a CPU; above it the tools themselves are a load worth knowing of. */
const TOOLS_SHARE_WORTH_A_WORD = 0.02

type ToolFindings = Pick<BlockSummary, 'tools' | 'toolsCpuShare' | 'crossChecks'>

/** What other tools than the sampler counted in this block, and whether the two agree. Empty for runs without them. */
export function toolFindings (plan: Plan, block: Block): ToolFindings {
  const { tools, evidence } = block
  if (tools === undefined) return {}
  const knobs = plan.conditions.find(({ id }) => id === evidence.plan.condition)?.knobs ?? []
  const aloneInGroup = evidence.group?.version === 'v2' && !knobs.some(knob => knob.endsWith('@group'))
  const shares = (evidence.tools ?? []).flatMap(({ cpuUsec, ranMs }) => cpuUsec === undefined || ranMs === undefined || ranMs <= 0 ? [] : [cpuUsec / 1000 / ranMs])
  return {
    ...(shares.length === 0 ? {} : { toolsCpuShare: shares.reduce((sum, share) => sum + share, 0) }),
    tools,
    crossChecks: crossCheck(block, { aloneInGroup })
  }
}

/** Disagreements by quantity, tools that cost too much, and tools that ended by themselves (what is not installed is said by the preflight). */
export function toolWarnings (blocks: readonly Block[], summaries: readonly BlockSummary[]): string[] {
  const checks = summaries.flatMap(({ index, crossChecks = [] }) => crossChecks.map(check => ({ ...check, index })))
  const apart = checks.filter(({ agrees }) => !agrees)
  const quantities = [...new Set(apart.map(({ quantity, tool, source }) => `${quantity} (${tool} against ${source})`))]
  const dearest = Math.max(0, ...summaries.map(({ toolsCpuShare = 0 }) => toolsCpuShare))
  const ended = new Map<string, number>()
  for (const { evidence } of blocks) {
    for (const { tool, missing } of evidence.tools ?? []) {
      if (missing !== undefined && missing !== 'not installed') ended.set(`${tool}: ${missing}`, (ended.get(`${tool}: ${missing}`) ?? 0) + 1)
    }
  }
  return [
    ...quantities.map(name => {
      const own = apart.filter(({ quantity, tool, source }) => `${quantity} (${tool} against ${source})` === name)
      const worst = own.reduce((a, b) => Math.abs(b.theirs - b.ours) / b.tolerance > Math.abs(a.theirs - a.ours) / a.tolerance ? b : a)
      return `two tools disagree about ${name} in ${own.length} of ${summaries.length} blocks; block ${worst.index}: ${number(worst.theirs)} against ${number(worst.ours)} ${worst.unit}`
    }),
    ...(dearest > TOOLS_SHARE_WORTH_A_WORD ? [`pidstat, iostat, vmstat and perf used up to ${number(100 * dearest)} % of a core; they run on the CPUs of the load`] : []),
    ...[...ended].map(([what, blocks]) => `a second tool did not run to the end in ${blocks} of ${summaries.length} blocks: ${what}`)
  ]
}
