import { logTail } from '../models/log-tail.js'
import type { RunningServer } from '../models/types.js'

const shownLogLines = 10
const wantOfMemory = 'give it more memory, a smaller model (--model), fewer --slots or a smaller server.slotContextTokens'

/** How a llama-server that nobody asked to end came to its end. */
export interface ServerEnd {
  readonly exit: Awaited<RunningServer['exited']>
  /** Kills for want of memory that the kernel counted where this server's would be; undefined where it counts none. */
  readonly oomKills?: { readonly path: string, readonly before: number, readonly after: number } | undefined
  readonly logPath: string
}

/** One line of what happened and, when memory ran out, what to do; then the end of its log. */
export async function tellEnd (end: ServerEnd): Promise<string> {
  const tail = (await logTail(end.logPath, shownLogLines)).map(line => `  ${line}`)
  return [`llama-server ended: ${howItEnded(end)}; the end of its log ${end.logPath}:`, ...tail].join('\n')
}

/** The kernel kills with SIGKILL; behind a shell that is exit code 137. */
export function howItEnded ({ exit: { code, signal }, oomKills }: ServerEnd): string {
  const how = signal ?? `exit code ${code}`
  if (signal !== 'SIGKILL' && code !== 137) return how
  if (oomKills === undefined) return `${how}, by somebody or by the kernel for want of memory, which this system does not count (see dmesg)`
  const { path, before, after } = oomKills
  if (after > before) return `killed by the kernel for want of memory (${how}; oom_kill in ${path} went from ${before} to ${after}): ${wantOfMemory}`
  return `${how}, sent by another program: the kernel counted no kill for want of memory (oom_kill in ${path} is ${after})`
}
