const cleaners = new Set<() => void>()

/** Runs `clean` when this process exits (also by an uncaught exception), latest first. Returns what takes that back. Handles no signals: those are the host program's. */
export function atExit (clean: () => void): () => void {
  if (cleaners.size === 0) process.on('exit', runAll)
  cleaners.add(clean)
  return () => {
    cleaners.delete(clean)
    if (cleaners.size === 0) process.off('exit', runAll)
  }
}

function runAll (): void {
  for (const clean of [...cleaners].reverse()) {
    try { clean() } catch {}
  }
}
