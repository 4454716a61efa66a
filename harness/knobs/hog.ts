import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { logTail } from '../../models/log-tail.js'
import { cpuWrapper, parentDeathWrapper } from '../../models/wrappers.js'
import { atExit } from '../cgroups/at-exit.js'
import { readText } from '../probes/read-text.js'

const POLL_MS = 50
const PATIENCE_MS = 20_000

export interface HogPlan {
  /** For messages. */
  readonly what: string
  /** A shell script that ends by itself after a bounded time; `args` are its `$1`, `$2`, … */
  readonly script: string
  readonly args?: readonly string[]
  /** CPUs that it may run on; all when absent or empty. */
  readonly cpus?: readonly number[]
  /** SCHED_IDLE by `chrt --idle`. */
  readonly idle?: boolean
  /** Puts it into a control group. */
  readonly enter?: readonly string[]
  /** Takes what it says; a hog that ended early is explained from it. */
  readonly logPath: string
}

export interface Hog {
  readonly pid: number
  /** @throws Error with how it ended and its last words when it no longer runs */
  assertRunning (): Promise<void>
  /**
   * Kills it and its children. Idempotent.
   * @throws Error (it is gone then) when it had ended before: the condition did not last
   */
  stop (): Promise<void>
}

/**
 * A process that takes something away from llama-server. It ends with `stop()`, with our process however that ends, and by itself.
 * Resolves when its script is under way, no sooner: what gets it there (a group, its CPUs, its class) takes CPU time too, which is not the hog's work.
 * Resolves also when it has ended already, which `assertRunning` and `stop` tell.
 * @throws Error when it cannot be run, or its script has not begun after 20 s
 */
export async function startHog ({ what, script, args = [], cpus = [], idle = false, enter = [], logPath }: HogPlan): Promise<Hog> {
  const wrappers = [enter, await parentDeathWrapper(process.env) ?? [], cpus.length === 0 ? [] : await cpuWrapper(cpus, process.env), idle ? ['chrt', '--idle', '0'] : []].flat()
  const own = ['sh', '-c', script, 'sh', ...args]
  const [command = 'sh', ...rest] = [...wrappers, ...own]
  const log = openSync(logPath, 'a')
  // A process group of its own, so that its children can be killed with it.
  const child = spawn(command, rest, { stdio: ['ignore', log, log], detached: true })
  closeSync(log)
  const { pid } = child
  let end: string | undefined
  const over = new Promise<void>(resolve => {
    child.once('exit', (code, signal) => { end = signal ?? `code ${code}`; resolve() })
    child.once('error', error => { end = error.message; resolve() })
  })
  if (pid === undefined) {
    await over
    throw new Error(`${what}: ${command} cannot be run: ${end}`)
  }
  const kill = (): void => {
    if (end !== undefined) return
    try { process.kill(-pid, 'SIGKILL') } catch {}
  }
  const forget = atExit(kill)

  async function endedEarly (): Promise<Error> {
    const words = (await logTail(logPath, 3)).join('; ')
    return new Error(`${what}: it ended too early, with ${end}${words === '' ? '' : `: ${words}`}`)
  }
  // proc_pid_cmdline(5): each argument ends with a null byte; each wrapper replaces itself (execve) by the next.
  const ownLine = own.map(arg => `${arg}\0`).join('')
  const onTheWay = (): boolean => end === undefined && readText(`/proc/${pid}/cmdline`) !== ownLine
  for (let waitedMs = 0; onTheWay(); waitedMs += POLL_MS) {
    if (waitedMs >= PATIENCE_MS) {
      kill()
      await over
      forget()
      throw new Error(`${what}: process ${pid} did not get as far as its script in ${PATIENCE_MS / 1000} s; its words are in ${logPath}, and a machine that is that busy measures nothing`)
    }
    await sleep(POLL_MS)
  }
  let stopped: Promise<void> | undefined
  async function stopOnce (): Promise<void> {
    const early = end !== undefined
    kill()
    await over
    forget()
    if (early || end !== 'SIGKILL') throw await endedEarly()
  }
  return {
    pid,
    async assertRunning () {
      if (end !== undefined) throw await endedEarly()
    },
    stop () {
      stopped ??= stopOnce()
      return stopped
    }
  }
}

/**
 * Waits until a counter of the hog has grown: it is at work. Returns by how much.
 * @throws Error when the hog ended, or nothing grew for 20 s
 */
export async function assertAtWork (hog: Hog, what: string, read: () => number, enough: number): Promise<number> {
  const from = read()
  for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += POLL_MS) {
    await hog.assertRunning()
    const grown = read() - from
    if (grown >= enough) return grown
    await sleep(POLL_MS)
  }
  await hog.assertRunning()
  throw new Error(`${what}: it runs (process ${hog.pid}), but does nothing`)
}

/** Stops all, then tells of the first that had ended early. */
export async function stopAll (hogs: readonly Hog[]): Promise<void> {
  const ends = await Promise.allSettled(hogs.map(hog => hog.stop()))
  const failed = ends.find(end => end.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
