import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** `ss -H` prints one line a socket. */
export function countSockets (text: string): number {
  return text.split('\n').filter(line => line.trim() !== '').length
}

export interface SocketCounter {
  /** Of the shell that runs `ss`; undefined when there is none. */
  readonly pid: number | undefined
  /** Undefined without `ss`, and while an earlier count is under way. Never rejects. */
  read (): Promise<number | undefined>
  close (): void
}

const END = 'end of list'

/**
 * Counts established TCP connections at this machine's `port` by `ss` (iproute2). Only the server's end counts, so a connection over
 * loopback is one. Without `ss` there is no count: one from /proc would not be another tool's.
 * A small shell starts `ss`: forking a Node process each time costs ten times as much CPU.
 */
export function startSocketCounter (port: number): SocketCounter {
  const script = `while read -r _; do ss -Htn state established '( sport = :${port} )' 2>/dev/null && echo '${END}: 0' || echo '${END}: 1'; done`
  const shell = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] })
  let lines: string[] = []
  let waiting: ((count: number | undefined) => void) | undefined
  function answer (count: number | undefined): void {
    waiting?.(count)
    waiting = undefined
    lines = []
  }
  createInterface(shell.stdout).on('line', line => {
    if (line === `${END}: 0`) answer(countSockets(lines.join('\n')))
    else if (line === `${END}: 1`) answer(undefined)
    else lines.push(line)
  })
  shell.stdin.on('error', () => {})
  shell.on('error', () => answer(undefined))
  shell.on('close', () => answer(undefined))
  return {
    pid: shell.pid,
    read () {
      if (waiting !== undefined || shell.exitCode !== null || shell.pid === undefined) return Promise.resolve(undefined)
      return new Promise(resolve => {
        waiting = resolve
        shell.stdin.write('\n')
      })
    },
    close () {
      shell.stdin.end()
    }
  }
}
