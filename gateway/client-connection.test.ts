import { once } from 'node:events'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { ClientConnection, onceClosed } from './client-connection.js'

const request = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'

/** A client that sends so many requests at once, and the responses that wait to be written, in the order of the requests. */
async function requested (t: Test, requests = 1): Promise<{ client: Socket, responses: ServerResponse[] }> {
  const responses: ServerResponse[] = []
  let all = (): void => {}
  const arrived = new Promise<void>(resolve => { all = resolve })
  const server = createServer((_request, response) => { if (responses.push(response) === requests) all() })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  client.on('error', () => {})
  t.teardown(() => {
    client.destroy()
    server.close()
  })
  client.write(request.repeat(requests))
  await arrived
  return { client, responses }
}

const clock = { nowMs: () => 7 }

t.test('a response that is written out is closed, and nobody left', async t => {
  const { responses: [res] } = await requested(t)
  const connection = new ClientConnection(res!, clock)
  t.equal(connection.open, true)
  res!.end('done')
  await connection.closed
  t.same([connection.left, connection.leftAtMs, connection.signal.aborted], [false, undefined, false])
})

t.test('a client that goes before the end has left: before any byte, and in the middle', async t => {
  for (const begun of [false, true]) {
    const { client, responses: [res] } = await requested(t)
    const connection = new ClientConnection(res!, clock)
    let told = 0
    connection.signal.addEventListener('abort', () => { told++ })
    if (begun) res!.write('half')
    client.destroy()
    await connection.closed
    t.same([connection.left, connection.leftAtMs, connection.open, told], [true, 7, false, 1])
    t.doesNotThrow(() => { res!.emit('error', new Error('EPIPE')) }, 'what was written too late is no fault')
  }
})

t.test('a response that waits behind another one of its connection is told of the end of the connection, once', async t => {
  const { client, responses } = await requested(t, 20)
  const [first, ...waiting] = responses.map(res => new ClientConnection(res, clock))
  const told: number[] = []
  responses.forEach((res, index) => { onceClosed(res, () => { told.push(index) }) })
  client.destroy()
  await Promise.all([first, ...waiting].map(connection => connection?.closed))
  t.ok([first, ...waiting].every(connection => connection?.left))
  t.same(told.sort((a, b) => a - b), responses.map((_res, index) => index))
})

t.test('one that got its turn and was written out is not told again when the connection ends', async t => {
  const { client, responses: [first, second] } = await requested(t, 2)
  let told = 0
  onceClosed(second!, () => { told++ })
  const connection = new ClientConnection(second!, clock)
  first!.end('1')
  second!.end('2')
  await connection.closed
  t.equal(connection.left, false)
  const gone = new Promise(resolve => { second!.req.socket.once('close', resolve) })
  client.destroy()
  await gone
  t.equal(told, 1)
})

t.test('a response that is gone already calls back at once', async t => {
  const { responses: [res] } = await requested(t)
  res!.destroy()
  let told = 0
  onceClosed(res!, () => { told++ })
  t.equal(told, 1)
  const connection = new ClientConnection(res!, clock)
  await connection.closed
  t.same([connection.left, connection.open], [true, false])
})
