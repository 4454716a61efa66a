import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { answerClientError } from './client-error.js'

/** What comes back for these bytes until the server closes. */
async function answerTo (t: Test, bytes: string, handler: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) => response.end()): Promise<string> {
  const server = createServer(handler)
  server.on('clientError', answerClientError)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  let text = ''
  socket.on('data', (data: Buffer) => { text += data.toString() })
  socket.on('error', () => {})
  socket.write(bytes)
  await once(socket, 'close')
  return text
}

t.test('bytes that are no HTTP get an error as all others are', async t => {
  const answer = await answerTo(t, 'hello\r\n\r\n')
  t.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/)
  t.match(answer, /connection: close\r\n/)
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  t.equal(Number(/content-length: (\d+)/.exec(head)?.[1]), Buffer.byteLength(body))
  t.match(JSON.parse(body), { error: { message: /this is no HTTP\/1\.1 request/ } })
})

t.test('headers without end', async t => {
  t.match(await answerTo(t, `GET / HTTP/1.1\r\nHost: x\r\nA: ${'b'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /)
})

t.test('in the middle of another answer nothing is written between its bytes', async t => {
  const answer = await answerTo(t, 'GET / HTTP/1.1\r\nHost: x\r\n\r\nno HTTP\r\n\r\n', (_request, response) => {
    response.writeHead(200, { 'content-length': '10' })
    response.write('half')
  })
  t.notMatch(answer, /400/)
})
