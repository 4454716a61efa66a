import { outcomesOfStreams, sweepOutcomes, type StreamsPrimary } from '../analyse/outcomes.js'
import { fewestPairs, fewestRepeats } from '../analyse/verdict.js'
import { floorOf } from '../stats/percentile.js'
import type { CalibratedServer, Condition, Manifest, StreamsCalibration, StreamsPlan, StreamsWorkload } from '../types.js'
import { headOfPlan, type PlanInput } from './plan.js'

export interface StreamsInput extends PlanInput {
  readonly workload: StreamsWorkload
  /** Of a comparison; a sweep has none. */
  readonly primary: StreamsPrimary
  readonly calibration: StreamsCalibration
}

/** Pure: the same input gives the same plan, to the byte. */
export function streamsDraft (input: StreamsInput): Omit<StreamsPlan, 'predictions'> {
  const { workload } = input
  const calls = input.repeats * workload.clients * workload.calls
  const gaps = workload.clients * workload.calls * (workload.predictTokens - 1)
  return {
    ...headOfPlan(input),
    workload,
    calibration: input.calibration,
    outcomes: input.design === 'sweep' ? sweepOutcomes : outcomesOfStreams(input.primary),
    expected: {
      offeredPerCondition: calls,
      answeredPerCondition: calls,
      unsupported: gaps >= floorOf.p99 ? [] : [`p99 of the gaps of a block (needs ${floorOf.p99}, ${gaps} expected)`],
      verdict: input.repeats >= (input.design === 'sweep' ? fewestRepeats : fewestPairs)
    }
  }
}

/** What the calibration says of the server that a condition runs, before its knobs. */
export function calibratedServer ({ calibration }: Pick<StreamsPlan, 'calibration'>, condition: Condition, manifest: Pick<Manifest, 'model' | 'server'>): CalibratedServer | undefined {
  const threads = condition.threads ?? manifest.server.threads
  const model = condition.model ?? manifest.model.name
  return calibration.servers.find(server => server.threads === threads && server.model === model)
}
