import { execFile } from 'node:child_process'
import { access, constants, stat } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

export interface CommandOptions {
  /** SIGKILL after this many milliseconds. */
  readonly timeoutMs: number
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
}

/**
 * Runs a program to its end and gives back what it wrote, stdout before stderr.
 * @throws Error that names the command, how it ended and its last lines.
 */
export function runCommand (command: string, args: readonly string[], options: CommandOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, [...args], {
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
      env: options.env ?? process.env,
      cwd: options.cwd,
      maxBuffer: 16 * 1024 * 1024
    }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout + stderr)
      const shown = [command, ...args].join(' ')
      if (error.killed) return reject(new Error(`${shown}: did not end within ${options.timeoutMs / 1000} s`))
      const lastLines = (stderr.trim() || stdout.trim()).split('\n').slice(-5).join('; ')
      const how = typeof error.code === 'number' ? `ended with code ${error.code}` : `${error.signal ?? error.code ?? 'failed'}`
      reject(new Error(`${shown}: ${how}${lastLines === '' ? '' : `: ${lastLines}`}`))
    })
  })
}

/** The first executable file of this name on `PATH`. Undefined if there is none. */
export async function onPath (name: string, env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (folder === '') continue
    const path = join(folder, name)
    if (await whyNotExecutable(path) === undefined) return path
  }
  return undefined
}

/** Why this path cannot be run, in words that go behind the path; undefined if it can. */
export async function whyNotExecutable (path: string): Promise<string | undefined> {
  try {
    if (!(await stat(path)).isFile()) return 'is not a file'
  } catch {
    return 'does not exist'
  }
  try {
    await access(path, constants.X_OK)
  } catch {
    return 'is not executable'
  }
  return undefined
}
