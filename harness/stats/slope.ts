/** Least-squares slope of y over x; null with fewer than two distinct x. */
export function slope (xs: readonly number[], ys: readonly number[]): number | null {
  const n = xs.length
  const meanX = xs.reduce((sum, x) => sum + x, 0) / n
  const meanY = ys.reduce((sum, y) => sum + y, 0) / n
  let across = 0
  let along = 0
  xs.forEach((x, i) => {
    across += (x - meanX) * ((ys[i] ?? meanY) - meanY)
    along += (x - meanX) ** 2
  })
  return along > 0 ? across / along : null
}
