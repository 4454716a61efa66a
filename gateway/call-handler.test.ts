import { createHash } from 'node:crypto'
import t from 'tap'
import type { Test } from 'tap'
import { startFakeServer } from '../models/fake/fake-server.js'
import { openGrant } from '../policies/contract.js'
import type { Call } from '../policies/contract.js'
import { post, registryOf, startRawUpstream, startTestGateway } from './testing.js'
import type { TestGateway } from './testing.js'
import { sendWire } from './testing-wire.js'

/** A gateway whose one policy shows the calls that reach it; upstream answers `{}`. */
async function watched (t: Test, config: object = {}): Promise<{ calls: Call[], requests: string[], gateway: TestGateway }> {
  const calls: Call[] = []
  const upstream = await startRawUpstream(socket => { socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}') })
  const registry = registryOf({
    watch: (call, next) => {
      calls.push(call)
      return next(call, 'seen')
    }
  })
  const gateway = await startTestGateway({ upstream: upstream.url, registry, config: { ...config, policies: [{ name: 'watch' }] } })
  t.teardown(async () => { await gateway.stop(); await upstream.close() })
  return { calls, requests: upstream.requests, gateway }
}

t.test('a call has its key\'s name and what that key may ask for', async t => {
  const sha256 = createHash('sha256').update('k').digest('hex')
  const { calls, gateway } = await watched(t, { apiKeys: [{ name: 'ann', sha256, weight: 3, bestPriority: 2, usualPriority: 4, maxPlaces: 1 }] })
  await post(`${gateway.url}/completion`, { prompt: 'a' }, { authorization: 'Bearer k' })
  t.match(calls, [{ caller: 'ann', grant: { weight: 3, bestPriority: 2, usualPriority: 4, maxPlaces: 1 } }])
})

t.test('without keys a call has its client\'s address and the open grant', async t => {
  const { calls, gateway } = await watched(t)
  await post(`${gateway.url}/completion`, { prompt: 'a' }, { authorization: 'Bearer k' })
  t.match(calls, [{ caller: '127.0.0.1' }])
  t.same(calls[0]?.grant, openGrant)
})

t.test('however its path is spelt, policies, llama-server and the record see the route that was meant', async t => {
  const { calls, requests, gateway } = await watched(t)
  const body = '{"prompt":"a","n":3}'
  await sendWire(gateway.url, `POST /%63omplet%69on?a=%62?c HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
  t.match(calls, [{ path: '/completion?a=%62?c', need: { places: 3 } }])
  t.match(requests, [/^POST \/completion\?a=%62\?c HTTP\/1\.1\r\n/])
  await gateway.recorded(1)
  t.equal(gateway.records[0]?.path, '/completion?a=%62?c')
})

t.test('an upload that is no JSON goes up as it is, and policies see an empty object', async t => {
  const { calls, requests, gateway } = await watched(t)
  const upload = '--b\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n\u0000RIFF\r\n--b--\r\n'
  const answer = await post(`${gateway.url}/v1/audio/transcriptions`, upload, { 'content-type': 'Multipart/Form-Data; boundary=b' })
  t.equal(answer.status, 200)
  t.same(calls.map(({ body, stream }) => [body.json, stream]), [[{}, false]])
  t.ok(requests[0]?.endsWith(`\r\n\r\n${upload}`))
})

t.test('llama-server\'s own answer while it loads has the reason and the Retry-After of a refusal, and its own body', async t => {
  const fake = await startFakeServer({ loadingMs: 600_000 })
  const gateway = await startTestGateway({ upstream: fake.url })
  t.teardown(async () => { await gateway.stop(); await fake.close() })
  for (const path of ['/v1/chat/completions', '/v1/messages']) {
    const answer = await post(gateway.url + path, { messages: [] })
    t.equal(answer.status, 503)
    t.match([answer.headers.get('x-weir-reason'), answer.headers.get('retry-after')], ['loading', /^[1-9]\d*$/])
    t.same(JSON.parse(answer.bytes.toString()), { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } })
  }
})

t.test('a policy that fails is a warning with its error, once', async t => {
  const registry = registryOf({ broken: async () => { throw new Error('out of order') } })
  const fake = await startFakeServer({})
  const gateway = await startTestGateway({ upstream: fake.url, registry, config: { policies: [{ name: 'broken' }] } })
  t.teardown(async () => { await gateway.stop(); await fake.close() })
  const answer = await post(`${gateway.url}/completion`, { prompt: 'a' })
  t.match(answer.bytes.toString(), /the gateway failed on this call \(out of order\); its log has more under [0-9a-f-]{36}/)
  await gateway.recorded(1)
  t.same(gateway.warnings, ['a policy failed'])
  t.equal(gateway.gateway.calls.inFlight, 0)
})
