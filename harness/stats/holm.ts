/**
 * Holm's step-down adjustment (Scand. J. Statist. 6, 1979): keeps the chance of any false alarm in the family at alpha.
 * Nulls (no test was possible) stay null and do not count as members.
 */
export function holm (ps: readonly (number | null)[]): (number | null)[] {
  const order = ps.flatMap((p, index) => p === null ? [] : [{ p, index }]).sort((a, b) => a.p - b.p)
  const adjusted: (number | null)[] = ps.map(() => null)
  let running = 0
  order.forEach(({ p, index }, rank) => {
    running = Math.max(running, Math.min(1, p * (order.length - rank)))
    adjusted[index] = running
  })
  return adjusted
}
