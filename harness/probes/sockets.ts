import { execFile } from 'node:child_process'

/** `ss -H` prints one line a socket. */
export function countSockets (text: string): number {
  return text.split('\n').filter(line => line.trim() !== '').length
}

/**
 * Established TCP connections at this machine's `port`, counted by `ss` (iproute2). Only the server's end counts, so a connection
 * over loopback is one. Undefined without `ss`: counting in /proc instead would not be another tool.
 */
export function readSockets (port: number): Promise<number | undefined> {
  return new Promise(resolve => {
    execFile('ss', ['-Htn', 'state', 'established', `( sport = :${port} )`], { timeout: 900 }, (error, stdout) => {
      resolve(error === null ? countSockets(stdout) : undefined)
    })
  })
}
