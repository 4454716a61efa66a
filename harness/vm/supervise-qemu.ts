import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { createInterface } from 'node:readline'
import { killAtExit } from '../../models/child-guard.js'
import { logTail } from '../../models/log-tail.js'
import { parentDeathWrapper } from '../../models/wrappers.js'
import { untilEndMark } from './port-stream.js'
import { ports } from './qemu.js'
import { VmTimeoutError } from './types.js'
import type { VmResult } from './types.js'

export interface QemuRun {
  readonly qemu: string
  readonly arguments: readonly string[]
  readonly consoleLog: string
  readonly timeoutMs: number
  /** From asking the command to end to killing the VM. */
  readonly stopGraceMs: number
  readonly onOutput: (stream: 'out' | 'err', data: Buffer) => void
  readonly signal?: AbortSignal
}

/** An emulated CPU boots in 4 to 10 s, on a busy host in a minute. */
const bootTimeoutMs = 180_000
const shownLines = 15

/**
 * Starts QEMU, hears its ports until the command ended and its output is complete, and ends QEMU by its pid.
 * QEMU also ends when our process does, however (Linux with util-linux).
 */
export async function superviseQemu (run: QemuRun): Promise<Omit<VmResult, 'accel'>> {
  const startedAt = process.hrtime.bigint()
  const [command = run.qemu, ...args] = [...await parentDeathWrapper(process.env) ?? [], run.qemu, ...run.arguments]
  const qemu = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'], detached: true })
  killAtExit(qemu)
  const said = keepTail(qemu)
  const ctl = port(qemu, 'weir.ctl')

  let ready: { kernel: string, bootSeconds: number } | undefined
  let end: Error | undefined
  const giveUp = (error: Error, graceMs: number): void => {
    if (end !== undefined) return
    end = error
    if (ready !== undefined) ctl.write('stop\n')
    setTimeout(() => qemu.kill('SIGKILL'), ready === undefined ? 0 : graceMs).unref()
  }
  const timers = [
    setTimeout(() => giveUp(new VmTimeoutError(`the VM's command did not end within ${run.timeoutMs / 1000} s; give it more time (--timeout)`), run.stopGraceMs), run.timeoutMs),
    setTimeout(() => { if (ready === undefined) giveUp(new VmTimeoutError(`the VM did not boot within ${bootTimeoutMs / 1000} s`), 0) }, bootTimeoutMs)
  ]
  const onAbort = (): void => giveUp(run.signal?.reason instanceof Error ? run.signal.reason : new Error('the VM was stopped'), run.stopGraceMs)
  run.signal?.addEventListener('abort', onAbort)

  const exitCode = new Promise<number>(resolve => {
    createInterface({ input: ctl }).on('line', line => {
      const [word, value = ''] = line.split(' ', 2)
      if (word === 'ready') ready = { kernel: value, bootSeconds: Number(process.hrtime.bigint() - startedAt) / 1e9 }
      if (word === 'exit') resolve(Number(value))
    })
  })
  const complete = Promise.all([exitCode, output(port(qemu, 'weir.out'), data => run.onOutput('out', data)), output(port(qemu, 'weir.err'), data => run.onOutput('err', data))])
  const ended = new Promise<string>(resolve => {
    qemu.once('error', error => resolve(error.message))
    qemu.once('close', (code, signal) => resolve(`${signal ?? `code ${code}`}`))
  })
  try {
    if (run.signal?.aborted === true) onAbort()
    const first = await Promise.race([complete, ended])
    if (end !== undefined) throw withConsole(end, ready === undefined ? await consoleEnd(run.consoleLog) : [])
    if (typeof first !== 'string' && ready !== undefined) return { exitCode: first[0], ...ready }
    const what = ready === undefined ? 'did not boot' : 'ended before its command did'
    throw withConsole(new Error(`the VM ${what} (QEMU: ${String(first)})`), [...said(), ...await consoleEnd(run.consoleLog)])
  } finally {
    timers.forEach(clearTimeout)
    run.signal?.removeEventListener('abort', onAbort)
    qemu.kill('SIGKILL')
    await ended
  }
}

function withConsole (error: Error, lines: readonly string[]): Error {
  if (lines.length > 0) error.message = [`${error.message}; the last lines of QEMU and of the VM's console:`, ...lines.map(line => `  | ${line}`)].join('\n')
  return error
}

/** The last lines; after a panic the one that says why, which comes before the registers and the stack. */
async function consoleEnd (path: string): Promise<string[]> {
  const panic = (await logTail(path, 200)).filter(line => /Kernel panic|sysrq: Trigger a crash|BUG:|Oops/.test(line))
  return panic.length > 0 ? panic.slice(-shownLines) : await logTail(path, shownLines)
}

function port (qemu: ChildProcess, name: keyof typeof ports): Duplex {
  const socket = (qemu.stdio as readonly unknown[])[ports[name]] as Duplex
  // QEMU was killed while we wrote or read: that it ended is seen at the process.
  socket.on('error', () => {})
  return socket
}

/** Settles when the stream is complete. */
async function output (socket: Duplex, give: (data: Buffer) => void): Promise<void> {
  const isOver = untilEndMark(give)
  await new Promise<void>(resolve => socket.on('data', (data: Buffer) => { if (isOver(data)) resolve() }))
}

/** The last lines that QEMU itself wrote. */
function keepTail (qemu: ChildProcess): () => string[] {
  let text = ''
  for (const stream of [qemu.stdout, qemu.stderr]) stream?.on('data', (data: Buffer) => { text = (text + data.toString()).slice(-4096) })
  return () => text.split('\n').filter(line => line.trim() !== '').slice(-shownLines)
}
