import type { Test } from 'tap'
import { normal, seededRandom, type Random } from './random.js'
import { signFlip } from './signflip.js'

const t3 = (random: Random): number => normal(random) / Math.sqrt((normal(random) ** 2 + normal(random) ** 2 + normal(random) ** 2) / 3)
/** The error of each block; a pair's log ratio holds the difference of two of them. */
const errors: Readonly<Record<string, (random: Random) => number>> = { normal, t3, lognormal: random => Math.exp(normal(random)) }

/** Of simulated experiments the share whose 95 % interval holds the true effect is 93 to 97 %, for three kinds of error. For tests only. */
export function coversItsEffect (t: Test, pairs: number, runs: number): void {
  for (const [name, error] of Object.entries(errors)) {
    const random = seededRandom(2026)
    const effect = 0.3
    let covered = 0
    for (let run = 0; run < runs; run++) {
      const { interval } = signFlip(Array.from({ length: pairs }, () => effect + error(random) - error(random)), 0.05)
      if (interval !== null && interval[0] <= effect && effect <= interval[1]) covered++
    }
    t.ok(covered / runs >= 0.93, `${name}: ${covered / runs}`)
    t.ok(covered / runs <= 0.97, `${name} is not needlessly wide: ${covered / runs}`)
  }
}
