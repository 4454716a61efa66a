import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'

/** A connection on which a test writes its own bytes. */
export interface Wire {
  readonly socket: Socket
  /** All that came so far. */
  readonly received: () => string
  /** Resolves when what came matches; rejects with it when the connection closes before. */
  until (pattern: RegExp): Promise<string>
  /** Resolves with all that came when the connection is closed. */
  readonly closed: Promise<string>
}

/** @param url origin of a server on this machine */
export async function openWire (url: string): Promise<Wire> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true })
  let text = ''
  socket.on('error', () => {})
  socket.on('data', data => { text += data.toString('latin1') })
  socket.on('end', () => { socket.end() })
  const closed = once(socket, 'close').then(() => text)
  await once(socket, 'connect')
  return {
    socket,
    received: () => text,
    closed,
    async until (pattern) {
      for (let over = false; !pattern.test(text);) {
        if (over) throw new Error(`the connection closed without ${String(pattern)}: ${text}`)
        await Promise.race([once(socket, 'data').catch(() => {}), closed.then(() => { over = true })])
      }
      return text
    }
  }
}

/** Sends bytes on a connection of their own and gives all that came back until the other side closed it. */
export async function sendWire (url: string, bytes: string): Promise<string> {
  const wire = await openWire(url)
  wire.socket.write(bytes, 'latin1')
  return await wire.closed
}
