/** What the VM's supervisor writes when a stream is over. */
export const endMark = Buffer.from('\0weir-end\0')

/**
 * Gives on the bytes before the end mark, keeping back what may be its beginning.
 * @returns a function for each piece that arrives; true once the mark was seen, what comes later is dropped
 */
export function untilEndMark (give: (data: Buffer) => void): (data: Buffer) => boolean {
  let held: Buffer = Buffer.alloc(0)
  let over = false
  return data => {
    if (over) return true
    held = Buffer.concat([held, data])
    const at = held.indexOf(endMark)
    over = at >= 0
    const upTo = over ? at : held.length - beginningOfMark(held)
    if (upTo > 0) give(held.subarray(0, upTo))
    held = held.subarray(upTo)
    return over
  }
}

/** Length of the longest end of `data` that the mark begins with. */
function beginningOfMark (data: Buffer): number {
  for (let length = Math.min(endMark.length - 1, data.length); length > 0; length--) {
    if (data.subarray(data.length - length).equals(endMark.subarray(0, length))) return length
  }
  return 0
}
