import { execFile } from 'node:child_process'

/** A minute-long read of a large model from a slow disk is fine; an hour is not. */
const LIMIT_MS = 20 * 60_000

/**
 * Runs a program to its end and returns its stdout; `enter` is a prefix that puts it into a control group.
 * @throws Error that names the command and how it ended; the signal's reason when that ended it
 */
export function runProgram (words: readonly string[], signal?: AbortSignal, enter: readonly string[] = []): Promise<string> {
  return new Promise((resolve, reject) => {
    const [command = '', ...args] = [...enter, ...words]
    execFile(command, args, { timeout: LIMIT_MS, killSignal: 'SIGKILL', ...(signal === undefined ? {} : { signal }) }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout)
      if (signal?.aborted === true) return reject(signal.reason)
      const said = stderr.trim().split('\n').at(-1) ?? ''
      const how = error.signal ?? (typeof error.code === 'number' ? `code ${error.code}` : error.message)
      reject(new Error(`${words.join(' ')}${enter.length === 0 ? '' : ' inside the control group'} ended with ${how}${said === '' ? '' : `: ${said}`}`))
    })
  })
}
