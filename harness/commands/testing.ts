import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { spawnGuarded } from '../../models/testing-programs.js'

export interface Ended { readonly code: number | null, readonly out: string, readonly err: string, readonly pid: number | undefined }

/** Something to do at the first progress line that matches, after one that matches `after`: a run may say a line again. */
export interface AtLine { readonly after?: RegExp, readonly at: RegExp, readonly then: (kill: (signal: NodeJS.Signals) => void, pid: number) => void }

/** Runs the harness to its end. For tests only. */
export async function harness (args: readonly string[], moment?: AtLine): Promise<Ended> {
  const child = await spawnGuarded(process.execPath, [fileURLToPath(new URL('../cli.js', import.meta.url)), ...args])
  const text = { out: '', err: '' }
  let awaited = moment
  let isAfter = moment?.after === undefined
  child.stdout.on('data', (data: Buffer) => { text.out += data.toString() })
  createInterface(child.stderr).on('line', line => {
    text.err += `${line}\n`
    isAfter ||= moment?.after?.test(line) === true
    if (!isAfter || awaited?.at.test(line) !== true) return
    awaited.then(signal => child.kill(signal), child.pid ?? NaN)
    awaited = undefined
  })
  await once(child, 'close')
  return { code: child.exitCode, ...text, pid: child.pid }
}
