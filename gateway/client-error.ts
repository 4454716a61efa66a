import { maxHeaderSize, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { ownRefusal } from './refusal.js'
import type { OwnRefusal } from './refusal.js'

const refusedFor: Readonly<Record<string, OwnRefusal>> = {
  HPE_HEADER_OVERFLOW: { status: 431, reason: 'bad-request', message: `the request's headers are larger than ${maxHeaderSize} bytes` },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, reason: 'bad-request', message: 'the request did not come to its end in time' }
}

/** Answers bytes that are no HTTP request, in the shape of every other error, and ends the connection. */
export function answerClientError (error: Error & { readonly code?: string }, socket: Socket): void {
  const answering: unknown = Reflect.get(socket, '_httpMessage')
  // In the middle of another answer of this connection there is no place for one (Node itself looks there, too).
  const midAnswer = Reflect.get(Object(answering), '_headerSent') === true
  if (error.code === 'ECONNRESET' || !socket.writable || midAnswer) {
    socket.destroy()
    return
  }
  const { status, headers, body } = ownRefusal(refusedFor[error.code ?? ''] ?? { status: 400, reason: 'bad-request', message: `this is no HTTP/1.1 request (${error.message.replace(/^Parse Error: /, '')})` })
  const text = String(body)
  const lines = Object.entries({ ...headers, 'content-length': String(Buffer.byteLength(text)), connection: 'close' }).map(([name, value]) => `${name}: ${String(value)}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${text}`)
}
