import type { ToolName } from '../types.js'

/** How one tool is run beside the sampler; its parser lies in the same file. */
export interface Tool {
  readonly name: ToolName
  /** Looked up on PATH. */
  readonly program: string
  /** Reports are printed every INTERVAL_SECONDS to stdout until it is ended. */
  args (serverPid: number): readonly string[]
  /** Why the kernel will not let it see what it is for; undefined: it will. */
  refused? (): string | undefined
}

/** Of each report. Shorter ones cost more and say no more: a judged window is many seconds. */
export const INTERVAL_SECONDS = 1

/** One report in a tool's output, as printed. */
export interface Report<V> {
  /** Of its first character in the output; the output is read as latin1, so that this counts bytes. */
  readonly offset: number
  readonly values: V
}

/** When the tool's output had grown to so many bytes, monotonic milliseconds: a line of `tools/stamps.ndjson`. */
export interface Stamp {
  readonly tool: ToolName
  readonly bytes: number
  readonly atMs: number
}
