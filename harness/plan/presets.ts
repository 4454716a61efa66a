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
  /** Calls of each client in a closed loop of a block; the first is cold, so one fewer is counted where calls are alike (analyse/work.ts: where they are not). */
  readonly capacityCalls: number
  /**
   * From this length of the judged window on, seconds, a block has a second closed loop after its load, and both are of `longLoopCalls`: machines change within a minute. A
   * shorter block is not worth it, since the loop waits until the server is done with calls that nobody waits for.
   */
  readonly longWindowSeconds: number
  /** Closed loop of the calibration, seconds at least; four calls of each client at least. */
  readonly calibrationSeconds: number
  /** Calls one at a time in the calibration, per workload class. */
  readonly unloadedCalls: number
  readonly describe: string
}

/** Calls of each client in a closed loop beside a long window. */
const longLoopCalls = 6

/** @param windowSeconds the judged window of a block */
export function closedLoopsOf (preset: Preset, windowSeconds: number): { readonly capacityCalls: number, readonly capacityAgain?: true } {
  return windowSeconds < preset.longWindowSeconds ? { capacityCalls: preset.capacityCalls } : { capacityCalls: longLoopCalls, capacityAgain: true }
}

export const presets: Readonly<Record<PresetName, Preset>> = {
  smoke: { name: 'smoke', pairs: 2, repeats: 1, windowSeconds: { usual: 4, longest: 4 }, capacityCalls: 2, longWindowSeconds: Infinity, calibrationSeconds: 3, unloadedCalls: 5, describe: 'about 90 s; describes, carries no verdict' },
  laptop: { name: 'laptop', pairs: 8, repeats: 3, windowSeconds: { usual: 9, longest: 11 }, capacityCalls: 3, longWindowSeconds: 30, calibrationSeconds: 5, unloadedCalls: 9, describe: 'about 6 minutes, 8 pairs, a verdict' },
  overnight: { name: 'overnight', pairs: 24, repeats: 8, windowSeconds: { usual: 60, longest: 60 }, capacityCalls: 6, longWindowSeconds: 0, calibrationSeconds: 30, unloadedCalls: 30, describe: 'about an hour and a half, 24 pairs, narrow intervals' }
}
