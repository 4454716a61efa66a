import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface Ended { readonly code: number | null, readonly out: string, readonly err: string, readonly pid: number | undefined }

/** Runs the harness to its end; `onLine` sees its progress lines as they come. For tests only. */
export async function harness (args: readonly string[], onLine: (line: string, kill: (signal: NodeJS.Signals) => void, pid: number) => void = () => {}): Promise<Ended> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../cli.js', import.meta.url)), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const text = { out: '', err: '' }
  child.stdout.on('data', (data: Buffer) => { text.out += data.toString() })
  createInterface(child.stderr).on('line', line => {
    text.err += `${line}\n`
    onLine(line, signal => child.kill(signal), child.pid ?? NaN)
  })
  await once(child, 'close')
  return { code: child.exitCode, ...text, pid: child.pid }
}
