import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export interface SocketCounts {
  readonly established: number
  /** Their clients have closed them, the server not yet: it has not noticed, or is still at work. */
  readonly closeWait: number
}

/** `ss -H` of several states prints one line a socket, its state first. */
export function countSockets (text: string): SocketCounts {
  const states = text.split('\n').map(line => line.trim().split(/\s+/, 1)[0])
  return { established: states.filter(state => state === 'ESTAB').length, closeWait: states.filter(state => state === 'CLOSE-WAIT').length }
}

export interface SocketCounter {
  /** Of the shell that runs `ss`; undefined when there is none. */
  readonly pid: number | undefined
  /** Undefined without `ss`, and while an earlier count is under way. Never rejects. */
  read (): Promise<SocketCounts | undefined>
  close (): void
}

const END = 'end of list'

/**
 * Counts TCP connections at this machine's `port` by `ss` (iproute2). Only the server's end counts, so a connection over
 * loopback is one. Without `ss` there is no count: one from /proc would not be another tool's.
 * A small shell starts `ss`: forking a Node process each time costs ten times as much CPU.
 */
export function startSocketCounter (port: number): SocketCounter {
  const script = `while read -r _; do ss -Htn state established state close-wait '( sport = :${port} )' 2>/dev/null && echo '${END}: 0' || echo '${END}: 1'; done`
  const shell = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] })
  let lines: string[] = []
  let waiting: ((count: SocketCounts | undefined) => void) | undefined
  function answer (count: SocketCounts | undefined): void {
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
