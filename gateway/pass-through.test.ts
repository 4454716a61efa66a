import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { startFakeServer } from '../models/fake/fake-server.js'
import { messageOf, post, startRawUpstream, startTestGateway } from './testing.js'
import type { RawUpstream, TestGateway, TestGatewayOptions } from './testing.js'
import { openWire } from './testing-wire.js'

async function both (t: Test, answer: (socket: Socket) => void, options: Partial<TestGatewayOptions> = {}): Promise<{ upstream: RawUpstream, gateway: TestGateway }> {
  const upstream = await startRawUpstream(answer)
  const gateway = await startTestGateway({ upstream: upstream.url, ...options })
  t.teardown(async () => { await gateway.stop(); await upstream.close() })
  return { upstream, gateway }
}

function whole (text: string): string {
  return `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ${text.length}\r\n\r\n${text}`
}

t.test('every request that goes past the chain has one line in the log', async t => {
  const { upstream, gateway } = await both(t, socket => { socket.write(whole('hello')) })
  const answer = await fetch(`${gateway.url}/v1/models?x=1`)
  t.equal(await answer.text(), 'hello')
  const posted = await post(`${gateway.url}/tokenize`, { content: 'a' })
  await post(`${gateway.url}/tools`, {})
  await gateway.recordedPasses(3)
  t.match(gateway.passed, [
    { msg: 'pass', id: answer.headers.get('x-weir-id'), caller: '127.0.0.1', route: 'free', method: 'GET', path: '/v1/models?x=1', status: 200, outcome: 'complete', bytes: 5 },
    { id: posted.headers.get('x-weir-id'), route: 'free', method: 'POST', path: '/tokenize', outcome: 'complete', bytes: 5 },
    { route: 'blocked', status: 403, outcome: 'refused', reason: 'blocked', bytes: Number }
  ])
  const [first, , blocked] = gateway.passed
  const times = [first?.arrivedAtMs, first?.upstreamHeadersAtMs, first?.firstByteAtMs, first?.overAtMs]
  t.ok(times.every(time => time !== undefined))
  t.same(times, [...times].sort((a, b) => Number(a) - Number(b)), 'in this order')
  t.equal(blocked?.upstreamHeadersAtMs, undefined)
  t.ok(Number(blocked?.bytes) > 20)
  t.equal(gateway.records.length, 0, 'they are no calls')
  t.notMatch(upstream.requests.join('\n'), /x-weir-passage/i, 'the mark for our own dispatcher is not sent')
})

t.test('what is not llama-server\'s does not go there: conversation ids (L9), the client\'s key, what belongs to its connection', async t => {
  const apiKeys = [{ name: 'ann', sha256: createHash('sha256').update('client-key').digest('hex') }]
  const { upstream, gateway } = await both(t, socket => { socket.write(whole('ok')) }, { apiKey: 'upstream-key', config: { apiKeys } })
  for (const path of ['/tokenize', '/v1/chat/completions/control']) {
    await post(gateway.url + path, { a: 1 }, { 'x-api-key': 'client-key', 'X-Conversation-Id': 'c1', 'x-mine': 'kept' })
    const request = upstream.requests.at(-1) ?? ''
    t.match(request, new RegExp(`^POST ${path} HTTP/1\\.1\\r\\n`))
    t.match(request, /authorization: Bearer upstream-key\r\n/i)
    t.match(request, /x-mine: kept\r\n/i)
    t.notMatch(request, /client-key|x-conversation-id/i)
  }
  await gateway.recordedPasses(2)
  t.match(gateway.passed, [{ caller: 'ann', route: 'free' }, { caller: 'ann', route: 'special' }])
})

t.test('what all callers share is for keys that may: neither path nor method leads around it', async t => {
  const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex')
  const apiKeys = [{ name: 'ann', sha256: sha256('a') }, { name: 'root', sha256: sha256('r'), admin: true }]
  const { upstream, gateway } = await both(t, socket => { socket.write(whole('ok')) }, { config: { apiKeys } })
  const ask = async (key: string, method: string, path: string): Promise<string> => {
    const answer = await fetch(gateway.url + path, { method, headers: { authorization: `Bearer ${key}` } })
    await answer.text()
    return `${answer.status} ${answer.headers.get('x-weir-reason') ?? ''}`
  }
  const routes = [['GET', '/metrics'], ['GET', '/slots'], ['GET', '/lora-adapters'], ['POST', '/lora-adapters'], ['POST', '/slots/0?action=erase'], ['POST', '/%73lots/0?action=erase'], ['POST', '/props'], ['POST', '/models/unload'], ['DELETE', '/models']] as const
  for (const [method, path] of routes) t.equal(await ask('a', method, path), '403 not-admin', `${method} ${path}`)
  t.equal(upstream.requests.length, 0)
  t.equal(await ask('a', 'GET', '/v1/models'), '200 ')
  t.equal(await ask('r', 'POST', '/slots/0?action=erase'), '200 ')
  t.match(upstream.requests.at(-1), /^POST \/slots\/0\?action=erase /)
  await gateway.recordedPasses(routes.length + 2)
  t.match(gateway.passed[0], { caller: 'ann', route: 'admin', status: 403, outcome: 'refused', reason: 'not-admin' })
})

t.test('a route that acts on the host is let through when the configuration names it, with its line in the log', async t => {
  const { upstream, gateway } = await both(t, socket => { socket.write(whole('ok')) }, { config: { allowRoutes: ['/tools'] } })
  t.equal((await post(`${gateway.url}/tools?x=1`, {})).bytes.toString(), 'ok')
  const blocked = await post(`${gateway.url}/cors-proxy`, {})
  t.equal(blocked.status, 403)
  t.match(messageOf(blocked), /^\/cors-proxy acts on the server's host .*name the route in the gateway's allowRoutes$/)
  t.match(upstream.requests, [/^POST \/tools\?x=1 HTTP/])
  await gateway.recordedPasses(2)
  t.match(gateway.passed, [
    { msg: 'pass', route: 'special', method: 'POST', path: '/tools?x=1', status: 200, outcome: 'complete', bytes: 2 },
    { msg: 'pass', route: 'blocked', status: 403, outcome: 'refused', reason: 'blocked' }
  ])
})

t.test('a client that leaves ends its request upstream: before the answer, and in the middle of it', async t => {
  for (const [what, sent] of [['before', ''], ['in the middle', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello']] as const) {
    await t.test(what, async t => {
      let held: Socket | undefined
      let asked = (): void => {}
      const isAsked = new Promise<void>(resolve => { asked = resolve })
      const { gateway, upstream } = await both(t, socket => {
        held = socket
        if (sent !== '') socket.write(sent)
        asked()
      })
      const wire = await openWire(gateway.url)
      wire.socket.write('GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n')
      await isAsked
      if (sent !== '') await wire.until(/hello/)
      const gone = once(held as Socket, 'close')
      wire.socket.destroy()
      await gone
      await gateway.recordedPasses(1)
      t.match(gateway.passed[0], { outcome: 'left', reason: 'client-left', status: sent === '' ? 499 : 200, bytes: sent === '' ? 0 : 5 })
      t.equal(upstream.requests.length, 1)
    })
  }
})

t.test('a client that leaves while its body is under way', async t => {
  const { gateway, upstream } = await both(t, () => {})
  const before = upstream.connections()
  const wire = await openWire(gateway.url)
  wire.socket.write('POST /tokenize HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"content":')
  while (upstream.connections() === before) await new Promise(resolve => { setImmediate(resolve) })
  wire.socket.destroy()
  await gateway.recordedPasses(1)
  t.match(gateway.passed[0], { outcome: 'left', status: 499 })
})

t.test('an upstream that breaks off: before the answer it is a fault, in the middle the answer is cut', async t => {
  let sent = ''
  const { gateway, upstream } = await both(t, socket => { socket.end(sent) })
  const fault = await post(`${gateway.url}/detokenize`, {})
  t.equal(fault.status, 503)
  t.match(messageOf(fault), /did not answer/)
  sent = 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello'
  const cut = await post(`${gateway.url}/detokenize`, {})
  t.ok(cut.broken)
  await upstream.close()
  for (const path of ['/v1/models', '/metrics']) t.equal((await fetch(gateway.url + path)).status, 503)
  await gateway.recordedPasses(4)
  t.match(gateway.passed, [
    { outcome: 'fault', status: 503, reason: 'upstream-lost' },
    { outcome: 'cut', status: 200, bytes: 5 },
    { outcome: 'fault', status: 503, reason: 'upstream-lost', path: '/v1/models' },
    { outcome: 'fault', status: 503, reason: 'upstream-lost', path: '/metrics' }
  ])
})

t.test('a body that is too large, also in chunks, where nobody knows its length', async t => {
  const fake = await startFakeServer({})
  const gateway = await startTestGateway({ upstream: fake.url, config: { limits: { bodyBytes: 2000 } } })
  t.teardown(async () => { await gateway.stop(); await fake.close() })
  const wire = await openWire(gateway.url)
  const inChunks = (json: string): string => `POST /tokenize HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n${(json.match(/.{1,1000}/g) ?? []).map(part => `${part.length.toString(16)}\r\n${part}\r\n`).join('')}0\r\n\r\n`
  wire.socket.write(inChunks(JSON.stringify({ content: 'x'.repeat(3000) })))
  t.match(await wire.until(/\}\}$/), /^HTTP\/1\.1 413 [\s\S]*x-weir-reason: body-too-large[\s\S]*larger than 2000 bytes/)
  wire.socket.write(inChunks(JSON.stringify({ content: 'x'.repeat(1500) })))
  t.match(await wire.until(/"tokens"/), /HTTP\/1\.1 200 /, 'the connection is good for the next one')
  t.equal((await post(`${gateway.url}/tokenize`, { content: 'x'.repeat(3000) })).status, 413)
  await gateway.recordedPasses(3)
  t.match(gateway.passed, [{ status: 413, outcome: 'refused', reason: 'body-too-large' }, { status: 200, outcome: 'complete' }, { status: 413, outcome: 'refused' }])
  t.equal(fake.stats.byPath['/tokenize'], 1)
  wire.socket.destroy()
})

t.test('no spelling of a path brings a call past the chain, or to a blocked route', async t => {
  const { gateway, upstream } = await both(t, socket => { socket.write(whole('ok')) })
  const cases: ReadonlyArray<readonly [string, number]> = [
    ['/v1%2Fchat/completions', 400], ['/v1/chat%2fcompletions', 400], ['/./v1/chat/completions', 400], ['/x/../v1/chat/completions', 400],
    ['/v1/%2e/chat/completions', 400], ['/x/%2e%2e/completion', 400], ['\\v1\\chat\\completions', 400], ['/v1\\chat/completions', 400],
    ['/%74ools', 403], ['/x/../tools', 403], ['//tools', 403], ['/.//tools', 403], ['/cors-proxy/x', 403], ['/%', 400]
  ]
  for (const [path, status] of cases) {
    const wire = await openWire(gateway.url)
    wire.socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}`)
    t.match(await wire.closed, new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*"error":`), path)
  }
  t.equal(upstream.requests.length, 0)
})
