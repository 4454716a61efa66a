import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { nowMs } from '../clock.js'
import type { CallSample } from '../types.js'
import { chatBody, openChatClient } from './client.js'
import { makePrompt } from './prompts.js'
import { waitUntil } from './wait.js'

/** Calls of each kind: after a dozen, refusals of a block no longer get faster (measured medians: the first three 4.4 ms, from the eighth on 2). */
const CALLS = 16
const TOKENS = 16
/** Each call is waited for as in a load, the last 2 ms of it spun: the compiler, whose thread shares the generator's CPU, is then done with that loop, too. */
const WAIT_MS = 3
const PATIENCE_MS = 10_000

/**
 * Answered and refused calls to a server within this process, on loopback, before there is a load. A generator whose code has never run would count its own
 * compilation (measured: up to 70 ms on a call) as time that the gateway took.
 * @returns how many ended in which way, which nobody needs to look at
 */
export async function rehearse (): Promise<Readonly<Partial<Record<CallSample['outcome'], number>>>> {
  const ended: Partial<Record<CallSample['outcome'], number>> = {}
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      if (request.headers.authorization === 'Bearer refuse') {
        response.writeHead(429, { 'content-type': 'application/json', 'x-weir-reason': 'rehearsal', 'x-weir-id': 'rehearsal', 'retry-after': '1' })
        response.end('{"error":{"code":429}}')
        return
      }
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-weir-id': 'rehearsal' })
      for (let token = 0; token < TOKENS; token++) response.write('data: {"choices":[{"index":0,"delta":{"content":"word"}}]}\n\n')
      response.end('data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":16},"timings":{"prompt_ms":1,"predicted_ms":1}}\n\ndata: [DONE]\n\n')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  try {
    for (const apiKey of ['refuse', 'answer']) {
      const client = openChatClient({ url: `http://127.0.0.1:${port}`, apiKey })
      for (let seq = 0; seq < CALLS; seq++) {
        const body = chatBody(makePrompt(seq, 32), TOKENS)
        const [intendedMs, signal] = [nowMs() + WAIT_MS, AbortSignal.timeout(PATIENCE_MS)]
        await waitUntil(intendedMs, { spin: true, signal })
        const { outcome } = await client.call({ phase: 'load', seq, cls: 'rehearsal', body }, intendedMs, signal)
        ended[outcome] = (ended[outcome] ?? 0) + 1
      }
      await client.close()
    }
  } finally {
    server.close()
    server.closeAllConnections()
  }
  return ended
}
