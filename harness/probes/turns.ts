/** When a source is read again, by what its last reading cost here. */
export interface Turns {
  due (atMs: number): boolean
  /** Until it is due, 0 when it is. */
  waitMs (atMs: number): number
  /** @param tookUsec own CPU time of the reading that was made at `atMs` */
  took (atMs: number, tookUsec: number): void
}

export interface TurnsOptions {
  /** Of one CPU: what reading this source may take. */
  readonly share: number
  readonly atLeastMs: number
  /** However dear it is, it is read this often. */
  readonly atMostMs: number
}

/** Half a tick of the sampler, so that a reading that is due is not put off by a tick that came early. */
const EARLY_MS = 50

export function createTurns ({ share, atLeastMs, atMostMs }: TurnsOptions): Turns {
  let nextMs = -Infinity
  return {
    due: atMs => atMs + EARLY_MS >= nextMs,
    waitMs: atMs => Math.max(0, nextMs - atMs),
    took (atMs, tookUsec) {
      nextMs = atMs + Math.min(atMostMs, Math.max(atLeastMs, tookUsec / 1000 / share))
    }
  }
}
