import type { ChildProcess } from 'node:child_process'

const running = new Set<ChildProcess>()

/** From now on the child is killed with SIGKILL when our process exits, unless it ended before. Handles no signals: those are the host program's. */
export function killAtExit (child: ChildProcess): void {
  if (running.size === 0) process.on('exit', killAll)
  running.add(child)
  child.once('exit', () => {
    running.delete(child)
    if (running.size === 0) process.off('exit', killAll)
  })
}

function killAll (): void {
  for (const child of running) child.kill('SIGKILL')
}
