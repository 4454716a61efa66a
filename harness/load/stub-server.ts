import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A chat server for tests; each answers in its own way. */
export interface StubServer {
  readonly url: string
  /** Requests that arrived whole, in order. */
  readonly requests: { readonly body: Record<string, unknown>, readonly headers: IncomingMessage['headers'] }[]
  /** Connections that are open now, and that were opened in all. */
  readonly connections: { open: number, total: number }
  close (): Promise<void>
}

export async function startStubServer (answer: (response: ServerResponse, index: number) => void): Promise<StubServer> {
  const requests: StubServer['requests'] = []
  const connections = { open: 0, total: 0 }
  // Longer than any stall of the machine: connections are counted.
  const server: Server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      requests.push({ body: JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>, headers: request.headers })
      answer(response, requests.length - 1)
    })
  })
  server.on('connection', socket => {
    connections.open++
    connections.total++
    socket.on('close', () => { connections.open-- })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    connections,
    close: () => new Promise(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }
}

export const EVENT_STREAM = { 'content-type': 'text/event-stream' }

export function chunk (content: string): string {
  return `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`
}

/** A whole answer of `tokens` chunks at once. */
export function wholeAnswer (tokens: number): string {
  const last = { choices: [], usage: { prompt_tokens: 9, completion_tokens: tokens }, timings: { prompt_ms: 5, predicted_ms: 7 } }
  return chunk(' word').repeat(tokens) + `data: ${JSON.stringify(last)}\n\ndata: [DONE]\n\n`
}
