import { outcomesOfStreams, outcomesOfSweep, type StreamsPrimary } from '../analyse/outcomes.js'
import { fewestPairs, fewestRepeats } from '../analyse/verdict.js'
import { floorOf } from '../stats/percentile.js'
import type { CalibratedServer, Condition, Manifest, StreamsCalibration, StreamsPlan, StreamsWorkload } from '../types.js'
import type { SweepFile } from './experiment-file.js'
import { searchOf } from './limit-search.js'
import { workloadsOf } from './condition-workload.js'
import { headOfPlan, type PlanInput } from './plan.js'

export interface StreamsInput extends PlanInput {
  readonly workload: StreamsWorkload
  /** Of a comparison; a sweep has none. */
  readonly primary: StreamsPrimary
  /** Of a sweep; absent: gap p99 and tokens per second. */
  readonly outcomes?: SweepFile['outcomes']
  readonly calibration: StreamsCalibration
  readonly search?: SweepFile['search']
  /** Of the conditions that name none. */
  readonly model: string
}

/** Pure: the same input gives the same plan, to the byte. */
export function streamsDraft (input: StreamsInput): Omit<StreamsPlan, 'predictions'> {
  const { workload } = input
  const loads = workloadsOf(workload, input.conditions)
  const calls = input.repeats * Math.min(...loads.map(({ clients, calls }) => clients * calls))
  const search = searchOf(input.search, input.calibration, input.model)
  if (input.search !== undefined && search === undefined) throw new Error('the search for a memory limit needs to know what the load touches of its model, but this kernel has no /proc/PID/clear_refs and smaps (CONFIG_PROC_PAGE_MONITOR), or keeps them from us: run it as the user of llama-server, or in the VM')
  const gaps = Math.min(...loads.map(({ clients, calls, predictTokens }) => clients * calls * (predictTokens - 1)))
  return {
    ...headOfPlan(input),
    workload,
    calibration: input.calibration,
    ...(search === undefined ? {} : { search }),
    outcomes: input.design === 'sweep' ? outcomesOfSweep(input.outcomes) : outcomesOfStreams(input.primary),
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
