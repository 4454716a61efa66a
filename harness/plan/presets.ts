import type { PresetName } from '../types.js'

/** How long and how often; everything in a preset that is not a policy or a workload. */
export interface Preset {
  readonly name: PresetName
  /** Pairs of blocks (before, after). 8 is the least that carries a verdict with secondary outcomes (smallest two-sided p 2/2⁸). */
  readonly pairs: number
  /** Of a sweep whose file says nothing else: each is a block of every condition. */
  readonly repeats: number
  /** Judged window of a block, seconds: `longest` only where that carries a p99, else `usual`. */
  readonly windowSeconds: { readonly usual: number, readonly longest: number }
  /** Calls of each client in a closed loop of a block, and in one beside a judged window of `longWindowSeconds` or more; the first is cold, so one fewer is counted where calls are alike (analyse/work.ts: where they are not). */
  readonly capacityCalls: { readonly usual: number, readonly ofLongWindow: number }
  /** A second closed loop in each block, after the load: machines change within seconds. */
  readonly capacityAgain: boolean
  /** Of the pairs of a comparison under an open loop, rounded up: so many more may be run for those that met unlike machines. */
  readonly spareShare: number
  /** Closed loop of the calibration, seconds at least; four calls of each client at least. */
  readonly calibrationSeconds: number
  /** Calls one at a time in the calibration, per workload class. */
  readonly unloadedCalls: number
  readonly describe: string
}

const longWindowSeconds = 30

/** @param windowSeconds the judged window of a block */
export function closedLoopsOf ({ capacityCalls: { usual, ofLongWindow }, capacityAgain }: Preset, windowSeconds: number): { readonly capacityCalls: number, readonly capacityAgain?: true } {
  return { capacityCalls: windowSeconds < longWindowSeconds ? usual : ofLongWindow, ...(capacityAgain ? { capacityAgain } : {}) }
}

export const presets: Readonly<Record<PresetName, Preset>> = {
  smoke: { name: 'smoke', pairs: 2, repeats: 1, windowSeconds: { usual: 4, longest: 4 }, capacityCalls: { usual: 2, ofLongWindow: 2 }, capacityAgain: false, spareShare: 0, calibrationSeconds: 3, unloadedCalls: 5, describe: 'about 90 s; describes, carries no verdict' },
  laptop: { name: 'laptop', pairs: 8, repeats: 3, windowSeconds: { usual: 9, longest: 11 }, capacityCalls: { usual: 3, ofLongWindow: 6 }, capacityAgain: true, spareShare: 0.5, calibrationSeconds: 5, unloadedCalls: 9, describe: 'about 7 minutes, 8 pairs, a verdict' },
  overnight: { name: 'overnight', pairs: 24, repeats: 8, windowSeconds: { usual: 60, longest: 60 }, capacityCalls: { usual: 6, ofLongWindow: 6 }, capacityAgain: true, spareShare: 0.5, calibrationSeconds: 30, unloadedCalls: 30, describe: 'about an hour and a half, 24 pairs, narrow intervals' }
}
