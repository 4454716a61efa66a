import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export const API_KEY_VARIABLE = 'WEIR_SAMPLER_API_KEY'

export interface StartSamplerOptions {
  /** llama-server's. */
  readonly pid: number
  /** llama-server's own, not the gateway's. */
  readonly serverUrl: string
  readonly apiKey?: string
  /** Samples are appended to it, one JSON line each, ten a second at most. */
  readonly outPath: string
  /** CPUs to run on (taskset); absent: wherever the kernel likes. */
  readonly cpus?: readonly number[]
}

export interface RunningSampler {
  readonly pid: number
  /** Resolves when all lines are written; rejects when the sampler had ended by itself. Idempotent. */
  stop (): Promise<void>
}

/** Resolves when the first sample was taken; rejects with the sampler's own words when it could not start. */
export async function startSampler ({ pid, serverUrl, apiKey, outPath, cpus }: StartSamplerOptions): Promise<RunningSampler> {
  const node = [process.execPath, fileURLToPath(new URL('./sampler-process.js', import.meta.url)), String(pid), serverUrl, outPath]
  const [command = process.execPath, ...args] = cpus === undefined || cpus.length === 0 ? node : ['taskset', '-c', cpus.join(','), ...node]
  const env = { ...process.env, ...(apiKey === undefined ? {} : { [API_KEY_VARIABLE]: apiKey }) }
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env })
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => { complaint = (complaint + chunk.toString()).slice(-2000) })
  let stopping = false
  const ended = once(child, 'close').then(([code, signal]: unknown[]) => {
    if (!stopping || code !== 0) throw new Error(`sampler of process ${pid} (to ${outPath}) ended with ${signal ?? `exit code ${code}`}: ${complaint.trim() || 'it said nothing'}`)
  })
  ended.catch(() => {})
  await Promise.race([once(child.stdout, 'data'), ended])
  return {
    pid: child.pid ?? 0,
    stop () {
      if (!stopping && child.exitCode === null && child.signalCode === null) {
        stopping = true
        child.kill('SIGTERM')
      }
      return ended
    }
  }
}
