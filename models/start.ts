import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { killAtExit } from './child-guard.js'
import { errorMessage } from './error-message.js'
import { freePort } from './free-port.js'
import { logTail } from './log-tail.js'
import { serverCommand } from './server-command.js'
import type { ServerCommand } from './server-command.js'
import { serverReady } from './server-ready.js'
import type { RunningServer, ServerOptions } from './types.js'
import { cpuWrapper, parentDeathWrapper } from './wrappers.js'

export interface StartSurroundings {
  readonly env?: NodeJS.ProcessEnv
  /** From SIGTERM to SIGKILL in `stop()`. */
  readonly stopGraceMs?: number
  readonly choosePort?: () => Promise<number>
  /** Of a server that is started again for clients that know the key; random unless given. */
  readonly apiKey?: string
  /** Ends a start that is under way: it rejects with the signal's reason when llama-server is gone. */
  readonly signal?: AbortSignal
}

type End = Awaited<RunningServer['exited']>

/** llama-server was not ready in time, or ended before it was. */
export class ServerStartError extends Error {
  override readonly name = 'ServerStartError'
  /** @param end how it ended by itself; undefined when it was we who gave it up */
  constructor (message: string, readonly end: End | undefined) { super(message) }
}

const defaultStartTimeoutMs = 120_000
const attempts = 3
const shownLogLines = 15

/**
 * Starts llama-server on 127.0.0.1, on a free port with a random API key, and waits until it is ready.
 * It ends with `stop()`, when our process exits, and (Linux with util-linux) when our process is killed; there it also has a session
 * of its own, so that Ctrl-C reaches only us and we decide when it ends.
 * @throws Error with the last 15 lines of its log when it ends or is not ready within `startTimeoutMs` (default 120 s), the reason of `signal`
 * when that ended it; it is not running then.
 */
export async function startServer (options: ServerOptions, surroundings: StartSurroundings = {}): Promise<RunningServer> {
  const { env = process.env, signal, stopGraceMs = 5000 } = surroundings
  await access(options.model.path).catch(() => { throw new Error(`llama-server: the model file ${options.model.path} does not exist or cannot be read`) })
  const guard = await parentDeathWrapper(env)
  const affinity = options.cpus === undefined ? undefined : await cpuWrapper(options.cpus, env)
  const wrappers = [options.enter, guard, affinity].filter(wrapper => wrapper !== undefined)
  await mkdir(dirname(options.logPath), { recursive: true })

  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    const port = await (surroundings.choosePort ?? freePort)()
    const apiKey = surroundings.apiKey ?? randomBytes(24).toString('base64url')
    const command = serverCommand(options, { port, apiKey, wrappers }, env)
    try {
      return await attemptStart(command, `http://127.0.0.1:${port}`, apiKey, options, { guarded: guard !== undefined, stopGraceMs, signal })
    } catch (error) {
      if (attempt === attempts || !/couldn't bind|address already in use/i.test(errorMessage(error))) throw error
    }
  }
}

async function attemptStart (command: ServerCommand, url: string, apiKey: string, options: ServerOptions, how: { guarded: boolean, stopGraceMs: number, signal: AbortSignal | undefined }): Promise<RunningServer> {
  const { logPath, startTimeoutMs = defaultStartTimeoutMs } = options
  const { child, exited } = await spawnLogged(command, logPath, how.guarded)
  const stop = stopper(child, exited, how.stopGraceMs)

  const giveUp = new AbortController()
  const timer = setTimeout(() => giveUp.abort(new Error(`it was not ready within ${startTimeoutMs / 1000} s`)), startTimeoutMs)
  let end: End | undefined
  exited.then(({ code, signal }) => {
    if (!giveUp.signal.aborted) end = { code, signal }
    giveUp.abort(new Error(`it ended with ${signal ?? `code ${code}`} before it was ready`))
  })
  const abort = (): void => giveUp.abort(how.signal?.reason)
  how.signal?.addEventListener('abort', abort)
  if (how.signal?.aborted === true) abort()
  try {
    await serverReady(url, apiKey, giveUp.signal)
    giveUp.signal.throwIfAborted()
  } catch (error) {
    const own = end
    await stop()
    how.signal?.throwIfAborted()
    const lines = await logTail(logPath, shownLogLines)
    throw new ServerStartError([`llama-server did not start: ${errorMessage(error)}`, `  command: ${command.shown.join(' ')}`, `  log: ${logPath}${lines.length === 0 ? ' (empty)' : ', its last lines:'}`,
      ...lines.map(line => `  | ${line}`)].join('\n'), own)
  } finally {
    clearTimeout(timer)
    how.signal?.removeEventListener('abort', abort)
  }
  return { url, apiKey, pid: child.pid ?? NaN, commandLine: command.shown, logPath, exited, stop }
}

/** The wrappers exec each other, so the child's pid becomes llama-server's own. */
async function spawnLogged ({ command, args, env }: ServerCommand, logPath: string, ownSession: boolean): Promise<{ child: ChildProcess, exited: Promise<End> }> {
  const log = await open(logPath, 'w')
  try {
    const child = spawn(command, args, { env, stdio: ['ignore', log.fd, log.fd], detached: ownSession })
    const exited = new Promise<End>(resolve => child.once('exit', (code, signal) => resolve({ code, signal })))
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', error => reject(new Error(`llama-server: ${command} cannot be run: ${error.message}`)))
    })
    killAtExit(child)
    return { child, exited }
  } finally {
    await log.close()
  }
}

function stopper (child: ChildProcess, exited: Promise<End>, graceMs: number): () => Promise<void> {
  let stopped: Promise<void> | undefined
  async function stopOnce (): Promise<void> {
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
    await exited
    clearTimeout(timer)
  }
  return () => { stopped ??= stopOnce(); return stopped }
}
