import type { CalibratedServer, Manifest, Prediction } from '../../types.js'
import type { PlanDraft } from './contract.js'
import { unbounded } from './leg.js'

const mebi = 1024 ** 2

/** Ids of the conditions in bench/experiments/memory-limit.json. */
export const memoryLimitConditions = {
  unlimited: 'none', above: 'above', below: 'below', killedAtStart: ['no-mmap', 'mlock'], killedUnderLoad: 'no-mmap-drop', notKilled: ['no-mmap-above', 'mlock-above'], anonymous: 'no-mmap-above', fits: 'tiny', fitsUnlimited: 'tiny-none'
} as const

export const memoryLimitIds = {
  cliff: 'cliff-mib',
  rateBelow: 'rate-below-to-unlimited',
  rateAbove: 'rate-above-to-unlimited',
  reread: 'reread-share-of-model-per-token',
  readPerRefaulted: 'read-to-refaulted-bytes',
  memoryFull: 'memory-full-ms-per-second-below',
  limitHits: 'memory-events-max-below',
  majorFaults: 'major-faults-per-refault',
  fitsRate: 'rate-tiny-to-tiny-unlimited',
  fitsRefaults: 'refaulted-mib-tiny',
  throttled: 'throttled-periods',
  swapped: 'swapped-in-pages',
  inSwap: 'bytes-in-swap',
  answeredKilled: 'answered-share-killed',
  answeredDropped: 'answered-share-dropped',
  answeredMapped: 'answered-share-mapped',
  kills: 'oom-kills-of-killed',
  kernelLog: 'kernel-log-names-llama-server',
  anonymous: 'anonymous-to-predicted',
  otherKills: 'oom-kills-of-others',
  endsOutOfMemory: 'ends-told-as-out-of-memory'
} as const

export interface WorkingSet {
  readonly anonBytes: number
  readonly kernelBytes: number
  readonly modelBytes: number
  readonly bytes: number
}

/** Memory that must be there at once for a token: what cannot be dropped, and the pages of the model that each token touches. Text of program and libraries is read outside the group. */
export function workingSetOf ({ groupCounters = {}, touched }: CalibratedServer): WorkingSet | undefined {
  const [anonBytes, current, file] = [groupCounters['memory.stat.anon'], groupCounters['memory.current'], groupCounters['memory.stat.file']]
  if (anonBytes === undefined || current === undefined || file === undefined || touched === undefined) return undefined
  // Kernels before 5.18 do not tell their own share; it is what remains.
  const kernelBytes = groupCounters['memory.stat.kernel'] ?? Math.max(0, current - anonBytes - file)
  return { anonBytes, kernelBytes, modelBytes: touched.modelBytes, bytes: anonBytes + kernelBytes + touched.modelBytes }
}

export function mainServer (draft: PlanDraft, { model }: Pick<Manifest, 'model'>): CalibratedServer | undefined {
  return 'servers' in draft.calibration ? draft.calibration.servers.find(server => server.model === model.name) : undefined
}

/** What a memory limit must do, from one undisturbed run. Empty without that run's counters: then nothing is predicted, and nothing is supported. */
export function memoryLimitPredictions (draft: PlanDraft, manifest: Pick<Manifest, 'model'>): Prediction[] {
  const server = mainServer(draft, manifest)
  const set = server === undefined ? undefined : workingSetOf(server)
  const limitBytes = draft.conditions.flatMap(({ id, knobs }) => id === memoryLimitConditions.below ? knobs.flatMap(knob => /^memory-max=(\d+)M$/.exec(knob)?.[1] ?? []) : []).map(mib => Number(mib) * mebi)[0]
  if (set === undefined || limitBytes === undefined) return []
  const ids = memoryLimitIds
  const cliff = set.bytes / mebi
  const parts = [set.anonBytes, set.kernelBytes, set.modelBytes].map(bytes => (bytes / mebi).toFixed(1)).join(' + ')
  const least = Math.max(0, (set.bytes - limitBytes) / set.modelBytes)
  return [
    { id: ids.cliff, metric: 'memory.max', statement: `the cliff lies within 5 % of ${cliff.toFixed(1)} MiB = anonymous + kernel + touched model (${parts}) of the unlimited run`, lo: 0.95 * cliff, hi: 1.05 * cliff },
    { id: ids.rateBelow, metric: 'tokens-per-second', statement: 'below the cliff at least a fifth of the rate is lost', lo: 0, hi: 0.8 },
    { id: ids.rateAbove, metric: 'tokens-per-second', statement: 'above the cliff the limit costs nothing', lo: 0.8, hi: 1.25 },
    { id: ids.reread, metric: 'refaulted-pages', statement: 'below the cliff each token reads again at least what cannot fit (no order of eviction can do better) and at most the whole model (a cyclic scan is LRU’s worst case)', lo: least, hi: 1.05 },
    { id: ids.readPerRefaulted, metric: 'read-bytes', statement: 'below the cliff what the process reads from storage during the load is what was refaulted, within 10 %', lo: 0.9, hi: 1.1 },
    { id: ids.memoryFull, metric: 'memory-full', statement: 'below the cliff all of the group’s tasks stand still for memory at least 10 ms in each second', lo: 10, hi: unbounded },
    { id: ids.limitHits, metric: 'memory.events', statement: 'below the cliff the limit is met again and again during the load', lo: 10, hi: unbounded },
    { id: ids.majorFaults, metric: 'memory.stat', statement: 'readahead hides it from the count of major faults: at most one for 100 refaulted pages', lo: 0, hi: 0.01 },
    { id: ids.fitsRate, metric: 'tokens-per-second', statement: 'a model that fits at the same limit loses nothing', lo: 0.8, hi: 1.25 },
    { id: ids.fitsRefaults, metric: 'refaulted-pages', statement: 'a model that fits refaults less than 1 MiB', lo: 0, hi: 1 },
    { id: ids.throttled, metric: 'throttled-periods', statement: 'no CPU quota throttles in any condition', lo: 0, hi: 0 },
    { id: ids.swapped, metric: 'memory.stat', statement: 'nothing is swapped in any condition', lo: 0, hi: 0 },
    { id: ids.inSwap, metric: 'memory.swap', statement: 'nothing lies in swap in any condition: anonymous memory that may leave moves the cliff', lo: 0, hi: 0 },
    { id: ids.answeredKilled, metric: 'calls', statement: 'a copy of the model that cannot be dropped is killed at that limit before it is ready: no call is answered', lo: 0, hi: 0 },
    { id: ids.answeredDropped, metric: 'calls', statement: 'when the limit drops under it in the middle of the load, at most half of the calls are answered', lo: 0, hi: 0.5 },
    { id: ids.answeredMapped, metric: 'calls', statement: 'the mapped model at the same limit answers all calls', lo: 1, hi: 1 },
    { id: ids.kills, metric: 'oom-kills', statement: 'each of these blocks has exactly one kill', lo: 1, hi: 1 },
    { id: ids.kernelLog, metric: 'dmesg', statement: 'the kernel’s log names llama-server and its group in each of these blocks', lo: 1, hi: 1 },
    { id: ids.anonymous, metric: 'memory.stat', statement: 'not mapped, its anonymous memory is that of the unlimited run and the model, within 10 %: more than the limit', lo: 0.9, hi: 1.1 },
    { id: ids.otherKills, metric: 'oom-kills', statement: 'no kill where the model is mapped, or where the limit is above the cliff', lo: 0, hi: 0 },
    { id: ids.endsOutOfMemory, metric: 'server-end', statement: 'each end is told as out of memory, none as a crash', lo: 1, hi: 1 }
  ]
}
