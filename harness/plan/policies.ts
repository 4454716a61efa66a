import type { Condition } from '../types.js'

/** Gateway configuration of each policy that `compare` can toggle, for a limit in milliseconds. */
const policyConfigs: Readonly<Record<string, (ttftLimitMs: number) => Readonly<Record<string, unknown>>>> = {
  admission: ttftLimitMs => ({ name: 'admission', slots: 'auto', ttftLimitMs }),
  'prompt-cap': () => ({ name: 'prompt-cap', maxPromptTokens: 128, maxTokens: 4096 }),
  'response-cache': () => ({ name: 'response-cache' }),
  'single-flight': () => ({ name: 'single-flight' }),
  batching: () => ({ name: 'batching' })
}

/** Outermost first: what refuses or answers without a place comes before what hands out places. */
const policyOrder = ['prompt-cap', 'response-cache', 'single-flight', 'batching', 'admission'] as const

export function policyNames (): string[] {
  return Object.keys(policyConfigs).sort()
}

/** @param options of the condition, by policy; they come before ours, and null takes one of ours away */
export function gatewayPolicies (names: readonly string[], ttftLimitMs: number, options: Condition['policyOptions'] = {}): Array<Readonly<Record<string, unknown>>> {
  return policyOrder.filter(name => names.includes(name)).map(name => {
    const config = { ...policyConfigs[name]?.(ttftLimitMs), ...options[name] }
    return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== null))
  })
}
