/** A line of a table by the names in its header; a name that the header lacks is undefined, and so is what is no number. */
export interface Row {
  text (name: string): string | undefined
  number (name: string): number | undefined
}

/** Columns differ from version to version, so they are found by name. Data must not hold blanks but in the last column. */
export function rowOf (header: readonly string[], line: string): Row {
  const fields = line.trim().split(/\s+/)
  const text = (name: string): string | undefined => {
    const index = header.indexOf(name)
    return index === -1 ? undefined : fields[index]
  }
  return {
    text,
    number (name) {
      const value = Number(text(name) ?? NaN)
      return Number.isFinite(value) ? value : undefined
    }
  }
}

/** Lines with the offset of their first character. */
export function * linesOf (text: string): Generator<{ readonly line: string, readonly offset: number }> {
  for (let from = 0; from < text.length;) {
    const end = text.indexOf('\n', from)
    // Without its newline a line may have been cut.
    if (end === -1) return
    yield { line: text.slice(from, end), offset: from }
    from = end + 1
  }
}
