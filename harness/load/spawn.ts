import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { LoadEvent, LoadJob, LoadProgress, LoadSummary } from './job.js'

export interface LoadWatch {
  /** Twice a second. */
  readonly onProgress?: (progress: LoadProgress) => void
  /** Stops the load early; the summary then says `stopped`. */
  readonly signal?: AbortSignal
}

export interface RunLoadOptions extends LoadWatch {
  /** CPUs to run on (taskset); absent: wherever the kernel likes. */
  readonly cpus?: readonly number[]
  /** Calls to itself while it waits for its job, so that the first real ones are not timed with code that never ran. Of chat calls; default false. */
  readonly rehearse?: boolean
}

/** A process that has loaded all it needs and waits for its job: what it does then is not delayed by its start. */
export interface PreparedLoad {
  /** Once. Rejects with an Error that holds the process's own words when it gives no summary. */
  run (job: LoadJob, watch?: LoadWatch): Promise<LoadSummary>
  /** Ends one that got no job; nothing after `run`. */
  stop (): Promise<void>
}

/** A load generator in a process of its own. */
export function prepareLoad ({ cpus, rehearse = false }: Pick<RunLoadOptions, 'cpus' | 'rehearse'> = {}): PreparedLoad {
  const node = [process.execPath, fileURLToPath(new URL('./process.js', import.meta.url)), ...(rehearse ? ['rehearse'] : [])]
  const [command = process.execPath, ...args] = cpus === undefined || cpus.length === 0 ? node : ['taskset', '-c', cpus.join(','), ...node]
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => { complaint = (complaint + chunk.toString()).slice(-2000) })
  child.stdin.on('error', () => {})
  const closed = once(child, 'close')
  closed.catch(() => {})
  let hasJob = false
  return {
    async run (job, { onProgress, signal } = {}) {
      hasJob = true
      let started = false
      // Before its first line the process has no handler for the signal and would be killed by it.
      const stop = (): void => { if (started) child.kill('SIGTERM') }
      let summary: LoadSummary | undefined
      createInterface(child.stdout).on('line', line => {
        const event = JSON.parse(line) as LoadEvent
        if (event.event === 'summary') summary = event.summary
        else if (event.event === 'error') complaint = event.message
        else {
          if (!started && signal?.aborted === true) child.kill('SIGTERM')
          started = true
          onProgress?.(event.progress)
        }
      })
      try {
        signal?.addEventListener('abort', stop, { once: true })
        child.stdin.end(JSON.stringify(job))
        const [code, killedBy]: unknown[] = await closed
        if (summary === undefined) throw new Error(`load generator (${job.phase}, to ${job.target.url}) ended without a summary (${killedBy ?? `exit code ${code}`}): ${complaint || 'it said nothing'}`)
        return summary
      } finally {
        signal?.removeEventListener('abort', stop)
      }
    },
    async stop () {
      if (hasJob) return
      child.kill('SIGKILL')
      await closed.catch(() => {})
    }
  }
}

/** Runs a job in a process of its own, from its start to its end; rejects as `PreparedLoad.run` does. */
export async function runLoad (job: LoadJob, { cpus, rehearse = false, ...watch }: RunLoadOptions = {}): Promise<LoadSummary> {
  return await prepareLoad({ rehearse, ...(cpus === undefined ? {} : { cpus }) }).run(job, watch)
}
