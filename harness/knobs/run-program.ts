import { execFile } from 'node:child_process'

/** A minute-long read of a large model from a slow disk is fine; an hour is not. */
const LIMIT_MS = 20 * 60_000

/**
 * Runs a program to its end and returns its stdout.
 * @throws Error that names the command and its last words; the signal's reason when that ended it
 */
export function runProgram ([command = '', ...args]: readonly string[], signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { timeout: LIMIT_MS, killSignal: 'SIGKILL', ...(signal === undefined ? {} : { signal }) }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout)
      if (signal?.aborted === true) return reject(signal.reason)
      const words = stderr.trim().split('\n').at(-1) ?? ''
      reject(new Error(`${[command, ...args].join(' ')}: ${words === '' ? error.message : words}`))
    })
  })
}
