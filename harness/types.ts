/**
 * The harness in nouns: Experiment → Plan (runs in order) → Evidence (files) → Result (findings) → report.
 * All times named `*Ms` in evidence are monotonic milliseconds of CLOCK_MONOTONIC (`process.hrtime`), one clock for
 * load generator, sampler and gateway record on one machine.
 */
export type * from './types/workload.js'
export type * from './types/plan.js'
export type * from './types/evidence.js'
export type * from './types/tools.js'
export type * from './types/result.js'
