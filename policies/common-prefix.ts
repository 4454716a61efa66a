/** Compared at once: pieces of this many UTF-16 units are compared natively, and only the one that differs unit by unit. */
const PIECE = 1_024

/** UTF-16 units that both texts begin with. */
export function commonPrefix (a: string, b: string): number {
  const most = Math.min(a.length, b.length)
  let length = 0
  while (length + PIECE <= most && a.slice(length, length + PIECE) === b.slice(length, length + PIECE)) length += PIECE
  while (length < most && a.charCodeAt(length) === b.charCodeAt(length)) length++
  return length
}
