/** a ÷ b; null when one of them is missing, or there is nothing to divide by. */
export function ratio (a: number | null, b: number | null): number | null {
  return a === null || b === null || !(b > 0) ? null : a / b
}
