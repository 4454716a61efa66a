import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { EnvHttpProxyAgent, fetch } from 'undici'
import type { Response } from 'undici'
import { errorMessage } from '../error-message.js'

export interface DownloadLimits {
  readonly connectMs: number
  /** Longest wait for the headers, and for each further piece of the body. */
  readonly idleMs: number
  readonly totalMs: number
}

/**
 * Fetches a JSON document; proxies as in `HTTP(S)_PROXY` and `NO_PROXY`.
 * @throws Error that names the address and the trouble.
 */
export async function fetchJson (url: string, limits: DownloadLimits): Promise<unknown> {
  return await withAnswer(url, limits, async answer => await answer.json())
}

export interface Download {
  readonly url: string
  readonly path: string
  /** Hexadecimal. */
  readonly sha256: string
  readonly limits: DownloadLimits
  /** Told at each further tenth; `totalBytes` is undefined where the server does not say. */
  readonly onProgress: (doneBytes: number, totalBytes: number | undefined) => void
}

/**
 * Downloads into a file and compares the checksum; the file is the caller's to remove, whatever happens.
 * @throws Error that names the address and the trouble: no answer, not 200, cut off, too slow, wrong checksum.
 */
export async function download ({ url, path, sha256, limits, onProgress }: Download): Promise<void> {
  const got = await withAnswer(url, limits, async answer => {
    const totalBytes = Number(answer.headers.get('content-length') ?? '') || undefined
    const stepBytes = (totalBytes ?? 100e6) / 10
    const hash = createHash('sha256')
    const file = await open(path, 'w')
    try {
      let doneBytes = 0
      for await (const chunk of answer.body ?? []) {
        hash.update(chunk)
        await file.writeFile(chunk)
        const before = doneBytes
        doneBytes += chunk.length
        if (Math.floor(doneBytes / stepBytes) > Math.floor(before / stepBytes)) onProgress(doneBytes, totalBytes)
      }
    } finally {
      await file.close()
    }
    return hash.digest('hex')
  })
  if (got !== sha256) throw new Error(`${url}: its SHA-256 is ${got}, but should be ${sha256}`)
}

async function withAnswer<T> (url: string, limits: DownloadLimits, use: (answer: Response) => Promise<T>): Promise<T> {
  const dispatcher = new EnvHttpProxyAgent({ connect: { timeout: limits.connectMs }, headersTimeout: limits.idleMs, bodyTimeout: limits.idleMs })
  try {
    const answer = await fetch(url, { dispatcher, signal: AbortSignal.timeout(limits.totalMs), headers: { 'user-agent': 'weir' } })
    if (answer.status !== 200) throw new Error(`status ${answer.status} ${answer.statusText}`)
    return await use(answer)
  } catch (error) {
    throw new Error(`${url}: ${errorMessage(error)}`)
  } finally {
    await dispatcher.destroy()
  }
}
