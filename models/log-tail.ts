import { readFile } from 'node:fs/promises'

/** The last lines of a log file that are not empty; none if it cannot be read. */
export async function logTail (path: string, lines: number): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.split(/\r?\n/).filter(line => line.trim() !== '').slice(-lines)
}
