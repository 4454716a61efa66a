import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { EnvHttpProxyAgent, fetch, type Response } from 'undici'
import { sha256Of } from './checksum.js'
import { needDiskSpace } from './disk-space.js'
import type { OnProgress } from './progress.js'

const ATTEMPTS = 5
/** Without a byte for this long an attempt is given up. */
const SILENCE_MS = 60_000

export interface Download {
  readonly url: string
  /** The file appears here when it is whole and its checksum is right; until then its beginning lies in `<target>.part`. */
  readonly target: string
  readonly bytes: number
  readonly sha256: string
  readonly onProgress?: OnProgress
  /** Before the second attempt, milliseconds; doubles with each that came no further. 1000 if absent. */
  readonly retryWaitMs?: number
}

/** An answer that another attempt will not change. */
class FinalError extends Error {}

/**
 * Fetches a file, going on where an earlier attempt or an earlier process stopped. Proxies are taken from HTTP_PROXY, HTTPS_PROXY
 * and NO_PROXY. Throws after five attempts in a row that came no further, at once on a refusal (HTTP 4xx), and when the
 * checksum is wrong; then the part is deleted, for no byte of it can be trusted.
 */
export async function download (what: Download): Promise<void> {
  const { url, target, bytes, sha256, onProgress, retryWaitMs = 1000 } = what
  const part = `${target}.part`
  await mkdir(path.dirname(target), { recursive: true })
  await needDiskSpace(path.dirname(target), bytes - await sizeOf(part))
  const agent = new EnvHttpProxyAgent({ bodyTimeout: SILENCE_MS, headersTimeout: SILENCE_MS })
  try {
    let fruitless = 0
    let best = await sizeOf(part)
    while (await sizeOf(part) !== bytes) {
      try {
        await attempt(what, part, agent)
      } catch (error) {
        if (error instanceof FinalError) throw error
        const now = await sizeOf(part)
        fruitless = now > best ? 0 : fruitless + 1
        best = Math.max(best, now)
        if (fruitless === ATTEMPTS) {
          throw new Error(`${url}: ${ATTEMPTS} attempts in a row came no further, the last: ${reasonOf(error)}; ` +
            `${now} of ${bytes} bytes are kept in ${part}, run the command again to go on`, { cause: error })
        }
        await sleep(retryWaitMs * 2 ** fruitless)
      }
    }
  } finally {
    await agent.destroy()
  }
  const found = await sha256Of(part, onProgress)
  if (found !== sha256) {
    await rm(part, { force: true })
    throw new Error(`${url}: the sha256 is ${found}, expected ${sha256}; the file was deleted. A proxy may have altered it; fetch it again`)
  }
  await rename(part, target)
}

async function attempt ({ url, bytes, onProgress }: Download, part: string, dispatcher: EnvHttpProxyAgent): Promise<void> {
  const have = await sizeOf(part)
  const response = await fetch(url, {
    dispatcher,
    headers: { 'accept-encoding': 'identity', ...(have > 0 && have < bytes ? { range: `bytes=${have}-` } : {}) }
  })
  const from = startOf(response, have)
  if (from === undefined || response.body === null) {
    await response.body?.cancel()
    // A part that the server cannot go on with is worth nothing.
    if (have > 0 && [206, 416].includes(response.status)) await rm(part)
    throw refusal(url, response)
  }
  let doneBytes = from
  const count = new Transform({
    transform (chunk: Buffer, _encoding, done) {
      doneBytes += chunk.length
      if (doneBytes > bytes) return done(new FinalError(`${url}: the server sends more than the ${bytes} bytes that the catalogue names`))
      onProgress?.({ step: 'download', doneBytes, totalBytes: bytes })
      done(null, chunk)
    }
  })
  await pipeline(Readable.fromWeb(response.body), count, createWriteStream(part, { flags: from > 0 ? 'a' : 'w' }))
  if (doneBytes < bytes) throw new Error(`the answer ended after ${doneBytes} of ${bytes} bytes`)
}

/** Where the answer's first byte belongs in the file; undefined: this answer is not the file. */
function startOf (response: Response, have: number): number | undefined {
  // A server that knows no ranges sends the whole file.
  if (response.status === 200) return 0
  if (response.status !== 206) return undefined
  const from = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1]
  return from !== undefined && Number(from) === have ? have : undefined
}

function refusal (url: string, { status }: Response): Error {
  const message = `${url}: HTTP ${status}`
  const passing = status < 400 || status >= 500 || [408, 416, 429].includes(status)
  if (passing) return new Error(message)
  const advice = status === 401 || status === 403
    ? 'the hub wants a login for it'
    : 'the hub has no such file'
  return new FinalError(`${message}: ${advice}; fetch the file by hand and give its path instead of the model's name`)
}

function reasonOf (error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}

async function sizeOf (file: string): Promise<number> {
  return await stat(file).then(({ size }) => size, () => 0)
}
