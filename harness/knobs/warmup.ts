import { chatBody } from '../load/client.js'
import type { KnobKind, ServerRunning } from './contract.js'
import { badValue, wholeIn } from './values.js'

const name = 'warmup'
const PROMPT = 'Warm up: say anything.'
const TOKENS = 8
const REQUEST_LIMIT_MS = 120_000

/** Requests straight to llama-server before the load, as many at once as it has slots. */
export const warmup: KnobKind = {
  name,
  value: 'N',
  describe: `N short requests (${TOKENS} tokens out) straight to llama-server before the load; they count only when all are answered`,
  parse (value) {
    if (value === '') throw badValue(name, value, `must be a number of requests, as in ${name}=8`)
    const count = wholeIn(name, value, 1, 1000)
    const spec = `${name}=${value}`
    let statuses: readonly number[] = []
    return {
      spec,
      name,
      title: `${count} warm-up ${count === 1 ? 'request' : 'requests'}`,
      controllers: [],
      async running (at) {
        statuses = await requests(at, count)
        return async () => {}
      },
      async readBack () {
        const good = statuses.filter(status => status === 200).length
        if (good !== count) throw new Error(`${spec}: llama-server answered ${good} of ${count} with 200; the others: ${[...new Set(statuses.filter(status => status !== 200))].join(', ') || 'none came'}`)
        return { 'warm-up requests answered': `${good} of ${count}` }
      }
    }
  }
}

async function requests (at: ServerRunning, count: number): Promise<number[]> {
  const statuses: number[] = []
  let sent = 0
  async function client (): Promise<void> {
    while (sent < count) {
      sent++
      statuses.push(await request(at))
    }
  }
  await Promise.all(Array.from({ length: Math.min(count, at.server.slots) }, client))
  return statuses
}

/** The whole answer is read; its status is what counts. */
async function request ({ url, apiKey, signal }: ServerRunning): Promise<number> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
    body: chatBody(PROMPT, TOKENS),
    signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_LIMIT_MS)])
  })
  await response.text()
  return response.status
}
