import { UsageError } from '../usage-error.js'
import { batch } from './batch.js'
import { cacheRam } from './cache-ram.js'
import type { Knob, KnobKind } from './contract.js'
import { commonLimit } from './common-limit.js'
import { cpuBurst } from './cpu-burst.js'
import { cpuHog } from './cpu-hog.js'
import { cpuQuota } from './cpu-quota.js'
import { cpuWeight } from './cpu-weight.js'
import { cpuset } from './cpuset.js'
import { diskHog } from './disk-hog.js'
import { ioMax } from './io-max.js'
import { memoryDrop } from './memory-drop.js'
import { memoryHigh } from './memory-high.js'
import { memoryLow } from './memory-low.js'
import { memoryMax } from './memory-max.js'
import { memoryMin } from './memory-min.js'
import { mlock } from './mlock.js'
import { noMmap } from './no-mmap.js'
import { noRepack } from './no-repack.js'
import { noSelfWarmup } from './no-self-warmup.js'
import { noSwap } from './no-swap.js'
import { noThp } from './no-thp.js'
import { pageCache } from './page-cache.js'
import { pageCacheHog } from './page-cache-hog.js'
import { pinning } from './pinning.js'
import { preload } from './preload.js'
import { swapMax } from './swap-max.js'
import { threads } from './threads.js'
import { unpinned } from './unpinned.js'
import { warmup } from './warmup.js'

export type { BeforeServer, Knob, KnobKind, ServerRunning, Undo } from './contract.js'

/**
 * In the order in which they are applied, however they were typed: a quota before the burst that it bounds, memory before swap (v1), memory
 * before the pages that are charged to it, the page cache before a disk limit slows its reading, the warm-up before the hogs.
 */
const KINDS: readonly KnobKind[] = [
  cpuQuota, cpuBurst, cpuWeight, cpuset, pinning, unpinned,
  commonLimit, memoryMax, memoryDrop, memoryHigh, memoryLow, memoryMin, swapMax, noSwap,
  noThp, threads, batch, cacheRam, mlock, noMmap, noRepack, noSelfWarmup,
  pageCache, preload, ioMax,
  warmup, cpuHog, pageCacheHog, diskHog
]

const EXCLUSIVE: ReadonlyArray<readonly string[]> = [['pinning', 'unpinned', 'cpuset'], ['swap-max', 'no-swap']]

/** All kinds, for help texts. */
export function knobKinds (): readonly KnobKind[] {
  return KINDS
}

export function knobNames (): string[] {
  return KINDS.map(kind => kind.name)
}

/**
 * `cpu-quota=500/1000`, `mlock`, …: one spec each. Returned in the order in which they must be applied, each with a state of its own.
 * @throws UsageError about an unknown name, a bad value, the same knob twice, or two that contradict each other
 */
export function parseKnobs (specs: readonly string[]): Knob[] {
  const knobs = specs.map(parseKnob)
  const names = knobs.map(knob => knob.name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new UsageError(`the knob ${twice} is there twice: ${knobs.filter(knob => knob.name === twice).map(knob => knob.spec).join(' and ')}`)
  for (const group of EXCLUSIVE) {
    const both = group.filter(name => names.includes(name))
    if (both.length > 1) throw new UsageError(`the knobs ${both.join(' and ')} contradict each other; leave one away`)
  }
  return knobs.sort((a, b) => order(a) - order(b))
}

function parseKnob (spec: string): Knob {
  const at = spec.indexOf('=')
  const [name, value] = at === -1 ? [spec, ''] : [spec.slice(0, at), spec.slice(at + 1)]
  const kind = KINDS.find(kind => kind.name === name)
  if (kind === undefined) throw new UsageError(`no such knob: ${JSON.stringify(name)}; there are ${knobNames().join(', ')}`)
  return kind.parse(value)
}

function order (knob: Knob): number {
  return KINDS.findIndex(kind => kind.name === knob.name)
}
