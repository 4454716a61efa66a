/** Where and why a text is not JSON: `line 3, column 9: …`. V8 itself gives the place of some errors only. */
export function jsonTrouble (text: string): string {
  let good = 0
  let bad = text.length + 1
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2)
    if (canGoOn(text.slice(0, middle))) good = middle
    else bad = middle
  }
  const before = text.slice(0, good)
  const line = before.split('\n').length
  const column = before.length - before.lastIndexOf('\n')
  const found = good >= text.length ? 'the file ends here in the middle' : `${JSON.stringify(text[good])} cannot stand here`
  return `line ${line}, column ${column}: ${found}; it must be JSON`
}

/** Whether some continuation of this text is JSON: all beginnings of such a text can be continued, too. */
function canGoOn (text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    const position = /position (\d+)/.exec(message)?.[1]
    return /end of JSON|Unterminated/.test(message) || (position !== undefined && Number(position) >= text.length)
  }
}
