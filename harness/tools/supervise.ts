import { spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream, mkdirSync, writeFileSync, type WriteStream } from 'node:fs'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { killAtExit } from '../../models/child-guard.js'
import { onPath } from '../../models/command.js'
import { parentDeathWrapper } from '../../models/wrappers.js'
import { nowMs } from '../clock.js'
import { cpuUsecOf } from '../probes/proc-process.js'
import { onCpus } from '../run/on-cpus.js'
import type { ToolRun } from '../types.js'
import type { Stamp, Tool } from './contract.js'
import { tools as all } from './index.js'

export interface StartToolsOptions {
  /** llama-server's. */
  readonly pid: number
  /** Of the block; the outputs go into `tools/` below it. */
  readonly folder: string
  /** CPUs to run on; empty: wherever the kernel likes. */
  readonly cpus: readonly number[]
  readonly tools?: readonly Tool[]
  readonly env?: NodeJS.ProcessEnv
}

export interface RunningTools {
  readonly pids: readonly number[]
  /** Ends them and resolves when their outputs are written. Idempotent; never rejects for what a tool did. */
  stop (): Promise<readonly ToolRun[]>
}

/** From SIGTERM to SIGKILL, and to no longer listening to a child of its that keeps the output open. */
const GRACE_MS = 2000

/**
 * Runs the other tools beside the sampler. A tool that is not installed, or that ends by itself, is told in its `ToolRun` and stops nothing. They end with
 * `stop()`, when our process exits, and when it is killed: by the kernel (setpriv), else at their next line, which nobody reads any more.
 */
export async function startTools ({ pid, folder, cpus, tools = all, env = process.env }: StartToolsOptions): Promise<RunningTools> {
  mkdirSync(`${folder}/tools`, { recursive: true })
  const guard = await parentDeathWrapper(env)
  const started = await Promise.all(tools.map(tool => startTool(tool, { pid, folder, cpus, env, guard: guard ?? [] })))
  let stopped: Promise<readonly ToolRun[]> | undefined
  async function stopAll (): Promise<readonly ToolRun[]> {
    const ended = await Promise.all(started.map(each => each.stop()))
    writeFileSync(`${folder}/tools/stamps.ndjson`, ended.flatMap(({ stamps }) => stamps).map(stamp => `${JSON.stringify(stamp)}\n`).join(''))
    return ended.map(({ run }) => run)
  }
  return {
    pids: started.flatMap(each => each.pid ?? []),
    stop: () => {
      stopped ??= stopAll()
      return stopped
    }
  }
}

interface Started {
  readonly pid?: number | undefined
  stop (): Promise<{ readonly run: ToolRun, readonly stamps: readonly Stamp[] }>
}

interface Place {
  readonly pid: number
  readonly folder: string
  readonly cpus: readonly number[]
  readonly env: NodeJS.ProcessEnv
  readonly guard: readonly string[]
}

async function startTool (tool: Tool, { pid, folder, cpus, env, guard }: Place): Promise<Started> {
  const commandLine = [tool.program, ...tool.args(pid)]
  const notRun = (missing: string): Started => ({ stop: async () => ({ run: { tool: tool.name, commandLine, missing }, stamps: [] }) })
  const program = await onPath(tool.program, env)
  if (program === undefined) return notRun('not installed')
  const refused = tool.refused?.()
  if (refused !== undefined) return notRun(refused)

  const [wrapper, args] = onCpus(cpus, program, tool.args(pid))
  const [command = program, ...rest] = [...guard, wrapper, ...args]
  // A session of its own, where its end is guarded: Ctrl-C reaches us and we end it.
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...env, LC_ALL: 'C' }, detached: guard.length > 0 })
  killAtExit(child)
  const fromMs = nowMs()
  const out = createWriteStream(`${folder}/tools/${tool.name}.txt`)
  // Asked for now: one whose disk is full closes at its error, long before the end.
  const written = new Promise<void>(resolve => { out.once('close', resolve) })
  const { stamps, complaint } = record(tool, child, out)
  const closed = once(child, 'close').then(() => {}, () => {})
  return {
    pid: child.pid,
    async stop () {
      const endedItself = child.exitCode !== null || child.signalCode !== null || child.pid === undefined
      const cpuUsec = child.pid === undefined ? undefined : cpuUsecOf(child.pid)
      const ranMs = nowMs() - fromMs
      if (!endedItself) await end(child, closed)
      else await closed
      out.end()
      await written
      return {
        run: {
          tool: tool.name,
          commandLine,
          ...(cpuUsec === undefined || endedItself ? {} : { cpuUsec, ranMs }),
          ...(endedItself ? { missing: `ended by itself (${child.signalCode ?? `exit code ${child.exitCode}`}): ${complaint() || 'it said nothing'}` } : {})
        },
        stamps
      }
    }
  }
}

/** Its output goes to the file as it comes, and when it came into `stamps`. */
function record (tool: Tool, child: ChildProcess, out: WriteStream): { readonly stamps: readonly Stamp[], readonly complaint: () => string } {
  const stamps: Stamp[] = []
  let bytes = 0
  let complaint = ''
  out.on('error', error => { complaint = error.message })
  child.on('error', error => { complaint = error.message })
  child.stdout?.on('data', (chunk: Buffer) => {
    const atMs = nowMs()
    // sysstat's first line has the host's name, which is nobody's business in evidence that is passed on.
    const shown = bytes === 0 ? Buffer.from(chunk.toString('latin1').replace(`(${hostname()})`, '(host)'), 'latin1') : chunk
    bytes += shown.length
    stamps.push({ tool: tool.name, bytes, atMs })
    out.write(shown)
  })
  child.stderr?.on('data', (chunk: Buffer) => { complaint = (complaint + chunk.toString()).slice(-500) })
  return { stamps, complaint: () => complaint.trim().replaceAll(/\s+/g, ' ') }
}

async function end (child: ChildProcess, closed: Promise<void>): Promise<void> {
  child.kill('SIGTERM')
  const timer = setTimeout(() => {
    child.kill('SIGKILL')
    child.stdout?.destroy()
    child.stderr?.destroy()
  }, GRACE_MS)
  await closed
  clearTimeout(timer)
}
