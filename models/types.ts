/** What the rest of the project needs to know of a served model and of a running llama-server. */

/** A model file that is present and checked. */
export interface ModelFile {
  readonly name: string
  readonly path: string
  readonly bytes: number
  readonly sha256: string
  /** Parameters, rounded. */
  readonly parameters: number
  readonly quantisation: 'Q8_0' | 'Q4_0' | 'F16' | string
  /** True: seeded random weights in the shape of a real model; the text it writes is nonsense. */
  readonly synthetic: boolean
  readonly seed?: number
}

/** How to run llama-server: a program, arguments before its own, and environment on top of ours. */
export interface ServerBinary {
  readonly command: string
  readonly argsBefore: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** `--llama-server`, `LLAMA_SERVER`, `PATH`, `cache`, or the source it was installed from. */
  readonly from: string
  readonly version: string
}

export interface ServerOptions {
  readonly binary: ServerBinary
  readonly model: ModelFile
  /** `-np`. */
  readonly slots: number
  /** `-c` is this times `slots`. Tokens. */
  readonly slotContextTokens: number
  /** `-t`. */
  readonly threads: number
  /** `-b`. Tokens. */
  readonly batchTokens: number
  /** MiB of memory for prompts that lost their slot (`--cache-ram`). Default: 0. */
  readonly cacheRamMib?: number
  /** CPUs to run on (taskset); absent: wherever the kernel likes. */
  readonly cpus?: readonly number[]
  readonly extraArgs?: readonly string[]
  /** Prefix of the command line, outermost: puts llama-server into a control group before it runs, say. */
  readonly enter?: readonly string[]
  readonly logPath: string
  /** How long it may take to become healthy, milliseconds. */
  readonly startTimeoutMs?: number
}

export interface RunningServer {
  readonly url: string
  readonly apiKey: string
  readonly pid: number
  /** The whole command line as it was run, the API key replaced by `***`. */
  readonly commandLine: readonly string[]
  readonly logPath: string
  /** Settles when the process ended, however. */
  readonly exited: Promise<{ readonly code: number | null, readonly signal: NodeJS.Signals | null }>
  /** SIGTERM, then SIGKILL after a grace time; idempotent. */
  stop (): Promise<void>
}
