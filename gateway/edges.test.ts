import { gzipSync } from 'node:zlib'
import t from 'tap'
import type { Test } from 'tap'
import { startFakeServer } from '../models/fake/fake-server.js'
import type { FakeOptions, FakeServer } from '../models/fake/fake-server.js'
import { messageOf, post, startTestGateway } from './testing.js'
import type { TestGateway } from './testing.js'
import { openWire, sendWire } from './testing-wire.js'

/** What a client may do to HTTP. Each gets a clear answer, and nothing stays behind it: no place, no call in flight. */
async function both (t: Test, options: FakeOptions = {}): Promise<{ fake: FakeServer, gateway: TestGateway }> {
  const fake = await startFakeServer({ slots: 2, ...options })
  const gateway = await startTestGateway({ upstream: fake.url, config: { policies: [{ name: 'prompt-cap' }, { name: 'admission', maxWaitMs: 60_000 }] } })
  t.teardown(async () => { await gateway.stop(); await fake.close() })
  return { fake, gateway }
}

interface Status { readonly inFlight: number, readonly zombiePlaces: number, readonly policies: ReadonlyArray<{ readonly name: string, readonly gauges: Readonly<Record<string, number>> }> }

async function nothingHeld (t: Test, gateway: TestGateway): Promise<void> {
  await gateway.gateway.calls.idle()
  const status = await (await fetch(`${gateway.url}/weir/status`)).json() as Status
  const { taken, queued } = status.policies.find(({ name }) => name === 'admission')?.gauges ?? {}
  t.same([status.inFlight, status.zombiePlaces, taken, queued], [0, 0, 0, 0], 'nothing is held')
}

const path = '/v1/chat/completions'

function call (more: object = {}): string {
  return JSON.stringify({ messages: [{ role: 'user', content: 'hello there' }], max_tokens: 2, ...more })
}

/** A request as bytes; `connection: close`, unless `headers` has another. */
function request (body: string, headers = 'connection: close\r\n', version = '1.1', method = 'POST'): string {
  return `${method} ${path} HTTP/${version}\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`
}

t.test('requests of all shapes', async t => {
  const { gateway } = await both(t)
  const body = call()
  const chunks = `POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n5\r\n${body.slice(0, 5)}\r\n${(body.length - 5).toString(16)};extension=1\r\n${body.slice(5)}\r\n0\r\ntrailer: 1\r\n\r\n`
  const cases: ReadonlyArray<readonly [what: string, bytes: string, answer: RegExp]> = [
    ['in chunks', chunks, /^HTTP\/1\.1 200 [\s\S]*"completion_tokens":2/],
    ['HTTP/1.0', request(body, '', '1.0'), /^HTTP\/1\.1 200 [\s\S]*"completion_tokens":2/],
    ['HTTP/1.0, a stream: no chunks, ended by the connection', request(call({ stream: true }), '', '1.0'), /^HTTP\/1\.1 200 (?![\s\S]*transfer-encoding: chunked)[\s\S]*\n\ndata: \[DONE\]\n\n$/i],
    ['Expect: 100-continue', request(body, 'expect: 100-continue\r\nconnection: close\r\n'), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /],
    ['another expectation', request(body, 'expect: miracles\r\nconnection: close\r\n'), /^HTTP\/1\.1 417 /],
    ['headers twice', request(body, 'x-mine: 1\r\nx-mine: 2\r\nauthorization: Bearer a\r\nauthorization: Bearer b\r\nconnection: close\r\n'), /^HTTP\/1\.1 200 /],
    ['two lengths', request(body, 'content-length: 3\r\nconnection: close\r\n'), /^HTTP\/1\.1 400 [\s\S]*"error":\{"code":400,"message":"this is no HTTP\/1\.1 request \(/],
    ['length and chunks', request(body, 'transfer-encoding: chunked\r\nconnection: close\r\n'), /^HTTP\/1\.1 400 [\s\S]*"type":"invalid_request_error"/],
    ['no HTTP', 'hello\r\n\r\n', /^HTTP\/1\.1 400 [\s\S]*x-weir-reason: bad-request/],
    ['headers of 20 KB', request(body, `x-long: ${'x'.repeat(20_000)}\r\n`), /^HTTP\/1\.1 431 [\s\S]*headers are larger than 16384 bytes/],
    ['HEAD', request('', 'connection: close\r\n', '1.1', 'HEAD'), /^HTTP\/1\.1 404 /],
    ['OPTIONS', request('', 'connection: close\r\n', '1.1', 'OPTIONS'), /^HTTP\/1\.1 (?:200|404) /],
    ['GET', request('', 'connection: close\r\n', '1.1', 'GET'), /^HTTP\/1\.1 404 /],
    ['TRACE', request('', 'connection: close\r\n', '1.1', 'TRACE'), /^HTTP\/1\.1 404 [\s\S]*"error":\{"code":404/],
    ['PROPFIND', request('', 'connection: close\r\n', '1.1', 'PROPFIND'), /^HTTP\/1\.1 404 [\s\S]*"error":\{"code":404/],
    // A server takes this form, too (RFC 9112, 3.2.2), whatever the host; what goes past the chain is more careful.
    ['as to a forward proxy', request(body).replace(path, `http://elsewhere${path}`), /^HTTP\/1\.1 200 [\s\S]*"completion_tokens":2/],
    ['as to a forward proxy, past the chain', request('', 'connection: close\r\n', '1.1', 'GET').replace(path, 'http://elsewhere/tools'), /^HTTP\/1\.1 400 [\s\S]*"error":\{"code":400/],
    ['an upgrade that nobody offers', request(body, 'connection: upgrade\r\nupgrade: websocket\r\n'), /^HTTP\/1\.1 200 /]
  ]
  for (const [what, bytes, answer] of cases) {
    await t.test(what, async t => {
      const wire = await openWire(gateway.url)
      wire.socket.write(bytes)
      // Those that keep the connection end it themselves.
      const text = bytes.includes('connection: upgrade') ? await wire.until(/completion_tokens/) : await wire.closed
      t.match(text, answer)
      t.notMatch(text, /\n\s+at |node_modules|\.js:\d/, 'no stack trace')
      wire.socket.destroy()
    })
  }
  await nothingHeld(t, gateway)
})

t.test('bodies that are no JSON object that llama-server takes', async t => {
  const { fake, gateway } = await both(t)
  const zipped = await fetch(gateway.url + path, { method: 'POST', body: gzipSync(call()), headers: { 'content-encoding': 'gzip' } })
  t.equal(zipped.status, 415)
  t.equal(zipped.headers.get('x-weir-reason'), 'content-encoding')
  t.match(await zipped.text(), /compressed \(content-encoding: gzip\); send it as it is/)
  t.equal((await post(gateway.url + path, call(), { 'content-encoding': 'Identity' })).status, 200)
  const huge = await fetch(gateway.url + path, { method: 'POST', body: Buffer.alloc(50 * 2 ** 20, 'x') })
  t.equal(huge.status, 413)
  t.match(await huge.text(), /larger than 33554432 bytes \(limits\.bodyBytes\)/)
  const many = await post(gateway.url + path, call({ n: 1000 }))
  t.equal(many.status, 400)
  t.match(messageOf(many), /'n': Value must be between 1/)
  t.same(fake.stats.byPath[path], 2, 'llama-server itself refuses that one')
  await nothingHeld(t, gateway)
})

t.test('requests on one connection without waiting: answered in their order, each by itself', async t => {
  const { gateway } = await both(t)
  const keep = 'connection: keep-alive\r\n'
  const text = await sendWire(gateway.url, request(call(), keep) + request('{', keep) + request(call({ stream: true }), keep) + request(call()))
  t.same(text.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 400', 'HTTP/1.1 200', 'HTTP/1.1 200'])
  await gateway.recorded(4)
  t.equal(new Set(gateway.records.map(({ id }) => id)).size, 4)
  await nothingHeld(t, gateway)
})

t.test('a client that leaves ends all its requests, also those that wait behind another on the connection', async t => {
  const { fake, gateway } = await both(t, { manual: true })
  const wire = await openWire(gateway.url)
  // Two run, two are queued; only the first one's response has the connection.
  wire.socket.write(request(call({ stream: true }), '').repeat(4))
  await fake.waitFor(({ running }) => running === 2)
  wire.socket.destroy()
  await fake.waitFor(({ left }) => left === 2)
  await fake.release()
  await gateway.recorded(4)
  t.same(gateway.records.map(({ outcome }) => outcome), ['left', 'left', 'left', 'left'])
  t.equal(fake.stats.byPath[path], 2, 'the queued ones were never sent')
  await nothingHeld(t, gateway)
})

t.test('a client that ends its half of the connection is one that left', async t => {
  const { fake, gateway } = await both(t, { manual: true })
  const wire = await openWire(gateway.url)
  wire.socket.write(request(call(), ''))
  await fake.waitFor(({ running }) => running === 1)
  wire.socket.end()
  t.equal(await wire.closed, '')
  await fake.waitFor(({ left }) => left === 1)
  await fake.release()
  await gateway.recorded(1)
  t.match(gateway.records[0], { outcome: 'left', status: 499 })
  await nothingHeld(t, gateway)
})

t.test('a client that leaves in the middle of its body', async t => {
  const { fake, gateway } = await both(t)
  for (const end of ['end', 'destroy'] as const) {
    const wire = await openWire(gateway.url)
    wire.socket.write(request(call(), '').slice(0, -5))
    await new Promise<void>(resolve => { wire.socket.write('', () => { resolve() }) })
    wire.socket[end]()
    await wire.closed
  }
  t.equal((await post(gateway.url + path, call())).status, 200)
  t.equal(fake.stats.byPath[path], 1)
  await nothingHeld(t, gateway)
})

t.test('bytes that are no request behind one that is answered: the answer is not spoilt', async t => {
  const { fake, gateway } = await both(t, { manual: true })
  const wire = await openWire(gateway.url)
  wire.socket.write(request(call({ stream: true }), ''))
  await wire.until(/\r\n\r\n/)
  await fake.waitFor(({ running }) => running === 1)
  wire.socket.write('hello\r\n\r\n')
  const text = await wire.closed
  t.equal(text.match(/HTTP\/1\.1/g)?.length, 1, text)
  await fake.release()
  await gateway.recorded(1)
  t.match(gateway.records[0], { outcome: 'left' })
  await nothingHeld(t, gateway)
})
