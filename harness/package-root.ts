import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The clone: compiled files lie in dist/, one folder below. */
export function packageRoot (): string {
  return fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
}

export function packageVersion (): string {
  const { version } = JSON.parse(readFileSync(`${packageRoot()}/package.json`, 'utf8')) as { version: string }
  return version
}

/** Commit of the clone, with `-dirty` when files were changed; undefined where it is no clone or there is no git. In the VM the clone is another user's: git is told that this is meant. */
export function packageCommit (root = packageRoot()): string | undefined {
  try {
    return execFileSync('git', ['-c', `safe.directory=${root}`, '-C', root, 'describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'], { encoding: 'utf8', timeout: 20_000, stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return undefined
  }
}
