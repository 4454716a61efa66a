import { readText } from '../probes/read-text.js'
import type { ServerRunning } from './contract.js'

/** The word after a flag on the command line of a running process; undefined when the flag is not there. */
export function flagValue (pid: number, flag: string): string | undefined {
  const words = commandLine(pid)
  const at = words.lastIndexOf(flag)
  return at === -1 ? undefined : words[at + 1]
}

export function commandLine (pid: number): string[] {
  return (readText(`/proc/${pid}/cmdline`) ?? '').split('\0')
}

/** @throws Error when llama-server runs with another value */
export function assertFlag (spec: string, pid: number, flag: string, asked: string): string {
  const seen = flagValue(pid, flag)
  if (seen !== asked) throw new Error(`${spec}: llama-server should run with ${flag} ${asked}, but its command line has ${seen === undefined ? `no ${flag}` : `${flag} ${seen}`}`)
  return `${flag} ${seen}`
}

/** A memory size in /proc/PID/status, bytes: `VmLck`, `RssAnon`, … 0 when the process is gone. */
export function memoryOf (pid: number, field: string): number {
  const kilobytes = new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(readText(`/proc/${pid}/status`) ?? '')?.[1]
  return Number(kilobytes ?? 0) * 1024
}

/** What llama-server wrote so far; empty when its log is not there. */
export function serverLog (at: ServerRunning): string {
  return readText(`${at.folder}/llama-server.log`) ?? ''
}
