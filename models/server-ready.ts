import { setTimeout as sleep } from 'node:timers/promises'
import { fetch } from 'undici'
import { errorMessage } from './error-message.js'

const pollEveryMs = 100
const answerWithinMs = 5000

/**
 * Waits until `/health` says 200, then makes sure that it is *our* llama-server that answers: `/props` with the key, and not without.
 * (A stranger may hold the port, or a build may not know `LLAMA_API_KEY`.)
 * @throws the signal's reason, or Error when the server does not insist on the key.
 */
export async function serverReady (url: string, apiKey: string, signal: AbortSignal): Promise<void> {
  while (await status(`${url}/health`, {}, signal) !== 200) await sleep(pollEveryMs, undefined, { signal }).catch(() => signal.throwIfAborted())
  const path = `${url}/props`
  const withKey = await status(path, { authorization: `Bearer ${apiKey}` }, signal)
  const withoutKey = await status(path, {}, signal)
  if (withKey === 200 && withoutKey === 401) return
  throw new Error(`${path}: status ${withKey} with our API key and ${withoutKey} without, expected 200 and 401. ` +
    'Either another program holds this port, or this llama-server does not read LLAMA_API_KEY: use a newer one')
}

/** The status, or why there is none; waits as long as it takes the server to answer at all within the limit. */
async function status (url: string, headers: Record<string, string>, signal: AbortSignal): Promise<number | string> {
  try {
    const answer = await fetch(url, { headers: { ...headers, connection: 'close' }, signal: AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]) })
    await answer.body?.cancel()
    return answer.status
  } catch (error) {
    signal.throwIfAborted()
    return errorMessage(error)
  }
}
