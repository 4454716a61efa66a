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
