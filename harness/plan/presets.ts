import type { PresetName } from '../types.js'

/** How long and how often; everything in a preset that is not a policy or a workload. */
export interface Preset {
  readonly name: PresetName
  /** Pairs of blocks (before, after). 8 is the least that carries a verdict with secondary outcomes (smallest two-sided p 2/2⁸). */
  readonly pairs: number
  /** Judged window of a block, seconds. */
  readonly windowSeconds: number
  /** Closed loop at full slots in each block, seconds. */
  readonly capacitySeconds: number
  /** Closed loop of the calibration, seconds. */
  readonly calibrationSeconds: number
  /** Calls one at a time in the calibration, per workload class. */
  readonly unloadedCalls: number
  readonly describe: string
}

export const presets: Readonly<Record<PresetName, Preset>> = {
  smoke: { name: 'smoke', pairs: 2, windowSeconds: 5, capacitySeconds: 3, calibrationSeconds: 4, unloadedCalls: 5, describe: 'at most 90 s; describes, carries no verdict' },
  laptop: { name: 'laptop', pairs: 8, windowSeconds: 10, capacitySeconds: 4, calibrationSeconds: 6, unloadedCalls: 9, describe: '5 to 6 minutes, 8 pairs, a verdict' },
  overnight: { name: 'overnight', pairs: 24, windowSeconds: 60, capacitySeconds: 20, calibrationSeconds: 30, unloadedCalls: 30, describe: 'about an hour and a half, 24 pairs, narrow intervals' }
}
