import { isOpenLoop } from '../analyse/plan-kind.js'
import { plannedSeconds, spareSeconds } from '../plan/duration.js'
import { offeredText } from '../plan/offered.js'
import type { Manifest, Plan } from '../types.js'

/** What will be measured and what it cannot show, said before the first block. */
export function announce (plan: Plan, manifest: Pick<Manifest, 'model' | 'server'>): string[] {
  const { expected } = plan
  return [
    ...loadLines(plan),
    `${plan.blocks.length} blocks, about ${Math.ceil(plannedSeconds(plan, manifest) / 60)} min${spareText(plan)}; about ${expected.answeredPerCondition} answered calls ${plan.design === 'pairs' ? 'an arm' : 'a condition'}`,
    ...plan.effects,
    ...(expected.verdict ? [] : [describes(plan, repeatsOf(plan))]),
    ...expected.unsupported.map(what => `not supported by this plan: ${what}`)
  ]
}

function spareText (plan: Plan): string {
  const seconds = spareSeconds(plan)
  return seconds === 0 ? '' : ` (up to ${Math.ceil(seconds / 60)} more for pairs that meet unlike machines)`
}

/** Probes are measured once, what they look for as often as the plan says. */
function repeatsOf ({ blocks, conditions }: Plan): number {
  return Math.max(...conditions.map(({ id }) => blocks.filter(({ condition }) => condition === id).length))
}

function describes ({ design }: Plan, repeats: number): string {
  const [unit, enough] = design === 'pairs' ? ['pair', 'laptop'] : ['repeat', design === 'sweep' ? 'overnight' : 'laptop']
  return repeats === 1 ? `one ${unit} describes; it carries no verdict (8 do: --preset ${enough})` : `${repeats} ${unit}s describe; they carry no verdict (8 do: --preset ${enough})`
}

function loadLines (plan: Plan): string[] {
  if (isOpenLoop(plan)) {
    const { workload, calibration } = plan
    const limits = Object.entries(workload.ttftLimitMs).map(([name, ms]) => `${name} ${ms} ms`).join(', ')
    return [`capacity ${calibration.capacityPerSecond.toFixed(2)} answers/s, offered: ${offeredText(workload)}; TTFT limit: ${limits}`]
  }
  return plan.calibration.servers.map(server =>
    `${server.model}, ${server.threads} threads, undisturbed: ${server.tokensPerSecond} tokens/s, median gap ${server.gapMs} ms, ${server.cpusUsed ?? 'unknown'} CPUs at once`)
}
