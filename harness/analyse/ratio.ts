/** a ÷ b; null when one of them is missing, or there is nothing to divide by. */
export function ratio (a: number | null, b: number | null): number | null {
  return a === null || b === null || !(b > 0) ? null : a / b
}

/** Null without values, or when one of them is missing or has no logarithm. */
export function geometricMean (values: ReadonlyArray<number | null>): number | null {
  const logs = values.map(value => value === null || value <= 0 ? null : Math.log(value))
  return logs.length === 0 || logs.includes(null) ? null : Math.exp(logs.reduce<number>((sum, log) => sum + (log ?? 0), 0) / logs.length)
}
