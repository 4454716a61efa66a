/** `Did you mean "x"?` when one of the names is at most two edits away; else an empty string. */
export function suggest (given: string, names: readonly string[]): string {
  const [best] = names.map(name => ({ name, edits: edits(given, name) })).sort((a, b) => a.edits - b.edits)
  return best !== undefined && best.edits <= Math.min(2, given.length - 1) ? ` Did you mean "${best.name}"?` : ''
}

/** Levenshtein distance. */
function edits (a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const above = row
    row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(change, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
  }
  return row[b.length] ?? 0
}
