import { createHash } from 'node:crypto'
import t from 'tap'
import type { Test } from 'tap'
import { clientAddress } from './client-address.js'
import { post, startRawUpstream, startTestGateway } from './testing.js'

t.test('what the proxy says, if it is an address', async t => {
  const socket = { remoteAddress: '10.0.0.1' }
  for (const ip of ['192.0.2.7', '2001:db8::7', '::ffff:192.0.2.7']) t.equal(clientAddress({ ip, socket }), ip)
  for (const ip of ['', 'unknown', '192.0.2.7:4711', '<b>', '192.0.2.7, 192.0.2.8']) t.equal(clientAddress({ ip, socket }), '10.0.0.1', ip)
})

t.test('a connection that is gone has no address', async t => {
  t.equal(clientAddress({ ip: undefined as unknown as string, socket: {} }), 'unknown', 'Fastify types it as a string all the same')
})

/** Callers of a call and of a request past the chain that come from 127.0.0.1 with this X-Forwarded-For. */
async function callersOf (t: Test, forwardedFor: string, config: Readonly<Record<string, unknown>>, headers: Record<string, string> = {}): Promise<Array<string | undefined>> {
  const upstream = await startRawUpstream(socket => { socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}') })
  const gateway = await startTestGateway({ upstream: upstream.url, config })
  t.teardown(async () => { await gateway.stop(); await upstream.close() })
  for (const path of ['/completion', '/tokenize']) await post(gateway.url + path, {}, { 'x-forwarded-for': forwardedFor, ...headers })
  await Promise.all([gateway.recorded(1), gateway.recordedPasses(1)])
  return [gateway.records[0]?.caller, gateway.passed[0]?.caller]
}

t.test('X-Forwarded-For counts only when a trusted proxy says it, and only what that proxy itself saw', async t => {
  const cases: ReadonlyArray<readonly [what: string, trustedProxies: readonly string[] | undefined, forwardedFor: string, caller: string]> = [
    ['nobody is trusted', undefined, '192.0.2.7', '127.0.0.1'],
    ['another one is trusted', ['10.0.0.0/8', '::1'], '192.0.2.7', '127.0.0.1'],
    ['a client that calls itself the proxy', ['10.0.0.1'], '192.0.2.7, 10.0.0.1', '127.0.0.1'],
    ['the proxy\'s address', ['127.0.0.1'], '192.0.2.7', '192.0.2.7'],
    ['the proxy\'s range', ['10.0.0.0/8', '127.0.0.0/8'], '2001:db8::7', '2001:db8::7'],
    ['a client that wrote the header itself before', ['127.0.0.1'], '198.51.100.9, 192.0.2.7', '192.0.2.7'],
    ['a client that claims to be trusted', ['127.0.0.1'], '127.0.0.1, 192.0.2.7', '192.0.2.7'],
    ['two proxies, both trusted', ['127.0.0.1', '10.0.0.1'], '198.51.100.9, 192.0.2.7, 10.0.0.1', '192.0.2.7'],
    ['no address', ['127.0.0.1'], 'somebody', '127.0.0.1'],
    ['nothing', ['127.0.0.1'], '', '127.0.0.1']
  ]
  for (const [what, trustedProxies, forwardedFor, caller] of cases) {
    const listen = { port: 0, ...(trustedProxies === undefined ? {} : { trustedProxies }) }
    t.same(await callersOf(t, forwardedFor, { listen }), [caller, caller], what)
  }
})

t.test('a key has its own name behind a proxy, too', async t => {
  const apiKeys = [{ name: 'ann', sha256: createHash('sha256').update('k').digest('hex') }]
  t.same(await callersOf(t, '192.0.2.7', { listen: { port: 0, trustedProxies: ['127.0.0.1'] }, apiKeys }, { authorization: 'Bearer k' }), ['ann', 'ann'])
})
