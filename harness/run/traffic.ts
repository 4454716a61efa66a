import { gatewayPolicies } from '../plan/policies.js'
import type { OpenLoopWorkload, WorkloadClass } from '../types.js'
import type { ConditionTraffic } from './block.js'
import type { CallerKey } from './gateway-process.js'

/** No secret: the gateway of a block listens on loopback, for the length of the block. */
function keyOf (caller: string): string {
  return `key-of-${caller}`
}

/** A key for each caller of the classes. */
export function apiKeysOf ({ classes, grants = {} }: OpenLoopWorkload): CallerKey[] {
  const callers = [...new Set(classes.flatMap(({ caller }) => caller ?? []))]
  return callers.map(name => ({ name, key: keyOf(name), ...grants[name] }))
}

/** One bound for all calls is the strictest of their limits; where each call says its own, the gateway's is the widest. */
export function policiesOf ({ ttftLimitMs }: OpenLoopWorkload, { policies, policyOptions, tellsLimit }: ConditionTraffic): ReturnType<typeof gatewayPolicies> {
  const limits = Object.values(ttftLimitMs)
  return gatewayPolicies(policies, tellsLimit === true ? Math.max(...limits) : Math.min(...limits), policyOptions)
}

/** A class as the load generator sends its calls to the gateway; straight to llama-server they go without any of it. */
export function sentClass (cls: WorkloadClass, workload: OpenLoopWorkload, { tellsLimit }: ConditionTraffic) {
  const { name, caller, headers, leave, prompts, together, cachePrompt } = cls
  const sent: Record<string, string> = {
    ...(caller === undefined ? {} : { authorization: `Bearer ${keyOf(caller)}` }),
    ...(tellsLimit === true ? { 'x-slo-ttft-ms': String(workload.ttftLimitMs[name]) } : {}),
    ...headers
  }
  return {
    ...bareClass(cls),
    ...(Object.keys(sent).length === 0 ? {} : { headers: sent }),
    ...(leave === undefined ? {} : { leave }),
    ...(prompts === undefined ? {} : { prompts }),
    ...(together === undefined ? {} : { together }),
    ...(cachePrompt === undefined ? {} : { cachePrompt })
  }
}

export function bareClass ({ name, promptWords, maxTokens, share, embedding }: Pick<WorkloadClass, 'name' | 'promptWords' | 'maxTokens' | 'share' | 'embedding'>) {
  return { name, promptWords, maxTokens, share, ...(embedding === undefined ? {} : { embedding }) }
}
