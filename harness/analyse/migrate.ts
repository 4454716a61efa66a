/**
 * Evidence of schema version 1 (two arms, open loop only) as version 2. Values that are not of version 1 come back as they are, so that the
 * guards judge them.
 */

type Json = Record<string, unknown>

export function migratePlan (plan: unknown): unknown {
  if (!isObject(plan) || plan.schemaVersion !== 1) return plan
  const { blocks, conditions, workload, expected, ...rest } = plan
  return {
    ...rest,
    schemaVersion: 2,
    design: 'pairs',
    quiet: false,
    conditions: each(conditions, condition => ({ ...condition, knobs: [], factors: {}, ...(condition.id === 'after' ? { baseline: 'before' } : {}) })),
    workload: isObject(workload) ? { kind: 'open-loop', ...workload } : workload,
    blocks: each(blocks, migrateBlockPlan),
    claims: hasAdmission(conditions) ? ['admission-keeps-capacity-good'] : [],
    effects: [],
    expected: isObject(expected) ? renamed(renamed(expected, 'offeredPerArm', 'offeredPerCondition'), 'answeredPerArm', 'answeredPerCondition') : expected
  }
}

export function migrateBlock (evidence: unknown): unknown {
  return isObject(evidence) && isObject(evidence.plan) ? { ...withClosedLoops(evidence), plan: migrateBlockPlan(evidence.plan) } : evidence
}

/** A whole Evidence in one file (the bank of the self-test). */
export function migrateEvidence (evidence: unknown): unknown {
  if (!isObject(evidence)) return evidence
  return { ...evidence, plan: migratePlan(evidence.plan), blocks: each(evidence.blocks, block => ({ ...block, evidence: migrateBlock(block.evidence) })) }
}

function migrateBlockPlan (plan: Json): Json {
  return renamed(plan, 'arm', 'condition')
}

/** One closed loop a block had two fields. */
function withClosedLoops (evidence: Json): Json {
  const { capacityFromMs: fromMs, capacityToMs: toMs, ...rest } = evidence
  return fromMs === undefined ? evidence : { ...rest, closedLoops: [{ fromMs, toMs }] }
}

function hasAdmission (conditions: unknown): boolean {
  return Array.isArray(conditions) && conditions.some(condition => isObject(condition) && condition.id === 'after' && Array.isArray(condition.policies) && condition.policies.includes('admission'))
}

function renamed (object: Json, from: string, to: string): Json {
  if (!(from in object)) return object
  const { [from]: value, ...rest } = object
  return { ...rest, [to]: value }
}

function each (list: unknown, change: (item: Json) => Json): unknown {
  return Array.isArray(list) ? list.map(item => isObject(item) ? change(item) : item) : list
}

function isObject (value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
