import { decide, type Handler, type NamedPolicy } from './decide.js'
import type { Clock } from './contract.js'
import { shadowed } from './shadow.js'

/**
 * First = outermost: `[a, b]` runs a, b, upstream, and answers go back through b, a. Each policy leaves one decision in
 * `call.decisions`, in run order; a policy that calls `next` twice makes the inner ones decide twice. Throws of a policy
 * are passed on: the gateway maps them.
 */
export function createChain (policies: readonly NamedPolicy[], upstream: Handler, clock: Clock): Handler {
  return policies.reduceRight<Handler>((inner, policy) => policy.mode === 'shadow' ? shadowed(policy, inner, clock) : call => decide(policy, inner, clock, call), upstream)
}
