import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { ensureModel } from '../models/ensure-model.js'
import { ensureServer } from '../models/install/index.js'
import { startServer } from '../models/start.js'
import { spawnGuarded } from '../models/testing-programs.js'
import type { RunningServer } from '../models/types.js'
import type { CallRecord } from '../policies/contract.js'

/** Removed when the test ends. Not `t.testdir()`: that empties the one folder of the test at each call. */
export function temporaryFolder (t: Test): string {
  const folder = mkdtempSync(`${tmpdir()}/weir-test-`)
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A real llama-server with the tiny synthetic model; stopped when the test ends. */
export async function startRealServer (t: Test, { slots, slotContextTokens = 1024, batchTokens = 256, extraArgs = [] }: { slots: number, slotContextTokens?: number, batchTokens?: number, extraArgs?: readonly string[] }): Promise<RunningServer> {
  const binary = await ensureServer({ onProgress: text => t.comment(text) })
  const model = await ensureModel('tiny', { onProgress: () => {} })
  const server = await startServer({ binary, model, slots, slotContextTokens, threads: 1, batchTokens, extraArgs, logPath: `${temporaryFolder(t)}/llama-server.log` })
  t.teardown(() => server.stop())
  return server
}

/** The gateway as users start it: its program, with these arguments. */
export interface GatewayCli {
  readonly url: string
  readonly pid: number
  /** Records written so far. */
  records (): CallRecord[]
  /** Its stderr since it listens. */
  said (): string
  /** SIGTERM; resolves with the exit code. */
  stop (): Promise<number | null>
}

export async function startGatewayCli (t: Test, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<GatewayCli> {
  const logFile = `${temporaryFolder(t)}/gateway.ndjson`
  const program = fileURLToPath(new URL('cli.js', import.meta.url))
  const child = await spawnGuarded(process.execPath, [program, '--port', '0', '--log-file', logFile, ...args], { ...process.env, ...env })
  child.stdout.resume()
  const exited = once(child, 'exit')
  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM')
    await exited
    return child.exitCode
  }
  t.teardown(stop)
  let said = ''
  for await (const line of createInterface(child.stderr)) {
    said += `${line}\n`
    const url = /^listening on (\S+)$/.exec(line)?.[1]
    if (url !== undefined) {
      said = ''
      child.stderr.on('data', data => { said += String(data) })
      return { url, said: () => said, pid: child.pid ?? 0, stop, records: () => readRecords(logFile) }
    }
  }
  throw new Error(`the gateway did not start: ${said}`)
}

function readRecords (file: string): CallRecord[] {
  return readFileSync(file, 'utf8').split('\n').slice(0, -1).map(line => JSON.parse(line) as CallRecord).filter(entry => entry.msg === 'call')
}
