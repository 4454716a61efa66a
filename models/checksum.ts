import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { cacheDir } from './cache.js'
import type { OnProgress } from './progress.js'

export async function sha256Of (file: string, onProgress: OnProgress = () => {}): Promise<string> {
  const { size: totalBytes } = await stat(file)
  const hash = createHash('sha256')
  let doneBytes = 0
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) {
    hash.update(chunk)
    doneBytes += chunk.length
    onProgress({ step: 'checksum', doneBytes, totalBytes })
  }
  return hash.digest('hex')
}

/** As `sha256Of`, but the file is read only when its path, size or time of change differ from the last time. */
export async function cachedSha256Of (file: string, onProgress?: OnProgress): Promise<string> {
  const note = await noteFor(file)
  const known = await readFile(note, 'utf8').catch(() => '')
  if (/^[0-9a-f]{64}$/.test(known)) return known
  const sha256 = await sha256Of(file, onProgress)
  await rememberSha256(file, sha256)
  return sha256
}

/** For a file whose checksum is known from writing or downloading it. */
export async function rememberSha256 (file: string, sha256: string): Promise<void> {
  const note = await noteFor(file)
  await mkdir(path.dirname(note), { recursive: true })
  await writeFile(`${note}.${process.pid}.tmp`, sha256)
  await rename(`${note}.${process.pid}.tmp`, note)
}

async function noteFor (file: string): Promise<string> {
  const { size, mtimeNs } = await stat(file, { bigint: true })
  const key = createHash('sha256').update(JSON.stringify([await realpath(file), String(size), String(mtimeNs)])).digest('hex')
  return cacheDir('checksums', key)
}
