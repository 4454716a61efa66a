import { createHash } from 'node:crypto'
import t from 'tap'
import type { Test } from 'tap'
import { refusal } from '../policies/answers.js'
import type { Policy } from '../policies/contract.js'
import { inDialectOf } from './error-dialect.js'
import { ownRefusal } from './refusal.js'
import { post, registryOf, startRawUpstream, startTestGateway } from './testing.js'
import type { Posted, TestGateway } from './testing.js'

function bodyOf (answer: { readonly body: unknown }): unknown {
  return JSON.parse(String(answer.body))
}

t.test('Anthropic\'s error types by status; our own fields stay', async t => {
  const types: ReadonlyArray<readonly [status: number, type: string]> = [
    [400, 'invalid_request_error'], [401, 'authentication_error'], [403, 'permission_error'], [404, 'not_found_error'], [408, 'invalid_request_error'], [413, 'request_too_large'],
    [415, 'invalid_request_error'], [429, 'rate_limit_error'], [500, 'api_error'], [502, 'api_error'], [503, 'overloaded_error'], [504, 'timeout_error']
  ]
  for (const [status, type] of types) {
    const answer = inDialectOf('/v1/messages', ownRefusal({ status, reason: 'r', message: 'm' }))
    t.same(bodyOf(answer), { type: 'error', error: { code: status, message: 'm', type, reason: 'r' } }, String(status))
  }
  const tooLong = refusal({ status: 400, type: 'exceed_context_size_error', message: 'm', reason: 'prompt-cap', extra: { n_prompt_tokens: 9, n_ctx: 8 } })
  t.match(bodyOf(inDialectOf('/v1/messages', tooLong)), { error: { type: 'invalid_request_error', reason: 'prompt-cap', n_prompt_tokens: 9, n_ctx: 8 } })
})

t.test('which paths speak it, and which answers are left alone', async t => {
  const refused = ownRefusal({ status: 429, reason: 'r', message: 'm' })
  for (const path of ['/v1/messages?beta=true', '/v1/messages/count_tokens']) t.not(inDialectOf(path, refused), refused, path)
  for (const path of ['/v1/messages2', '/v1/chat/completions', '/messages', '/x?/v1/messages']) t.equal(inDialectOf(path, refused), refused, path)
  const { reason, ...upstreams } = refused
  const ownShape = { ...refused, body: Buffer.from('"a policy\'s own shape"') }
  const noJson = { ...refused, body: Buffer.from('<html>') }
  for (const answer of [upstreams, ownShape, noJson]) t.equal(inDialectOf('/v1/messages', answer), answer)
})

interface Both { readonly gateway: TestGateway, answer: string }

/** A gateway with keys; upstream answers what the test says, or breaks the connection where that is nothing. */
async function both (t: Test, { policy, limits }: { readonly policy?: Policy, readonly limits?: object } = {}): Promise<Both> {
  const self = { answer: '' }
  const upstream = await startRawUpstream(socket => { if (self.answer === '') socket.destroy(); else socket.write(self.answer) })
  const registry = registryOf({ mine: policy ?? ((call, next) => next(call, 'passed')) })
  const gateway = await startTestGateway({
    upstream: upstream.url,
    registry,
    releaseFallbackMs: 1,
    config: { policies: [{ name: 'mine' }], limits: { bodyBytes: 2000, ...limits }, apiKeys: [{ name: 'ann', sha256: createHash('sha256').update('k').digest('hex') }] }
  })
  t.teardown(async () => { await gateway.stop(); await upstream.close() })
  return Object.assign(self, { gateway })
}

function check (t: Test, what: string, answer: Posted, status: number, type: string, reason: string): void {
  t.equal(answer.status, status, what)
  t.match(JSON.parse(answer.bytes.toString()), { type: 'error', error: { type, reason, message: /./ } }, what)
  t.equal(answer.headers.get('x-weir-reason'), reason, what)
  t.equal(Number(answer.headers.get('content-length')), answer.bytes.length, `${what}: its length`)
  t.match(answer.headers.get('content-type'), /^application\/json/)
}

t.test('what the gateway refuses, and what it says of an upstream that failed', async t => {
  const { gateway } = await both(t)
  const [key, call] = [{ 'x-api-key': 'k' }, { messages: [], max_tokens: 1 }]
  for (const path of ['/v1/messages', '/v1/messages?beta=true', '/v1/messages/count_tokens']) {
    const url = gateway.url + path
    check(t, `${path}: no key`, await post(url, call), 401, 'authentication_error', 'no-key')
    check(t, `${path}: too large`, await post(url, { content: 'x'.repeat(3000) }, key), 413, 'request_too_large', 'body-too-large')
  }
  const url = `${gateway.url}/v1/messages`
  check(t, 'no JSON', await post(url, '{', key), 400, 'invalid_request_error', 'bad-request')
  check(t, 'compressed', await post(url, call, { ...key, 'content-encoding': 'gzip' }), 415, 'invalid_request_error', 'content-encoding')
  check(t, 'upstream broke off', await post(url, call, key), 502, 'api_error', 'upstream-lost')
  check(t, 'upstream broke off, past the chain', await post(`${url}/count_tokens`, call, key), 503, 'overloaded_error', 'upstream-lost')
  gateway.gateway.drain.start()
  check(t, 'draining', await post(url, call, key), 503, 'overloaded_error', 'draining')
  await gateway.recorded(6)
  t.ok(gateway.records.every(({ bytes }) => bytes > 20))
})

t.test('what a policy refuses, with the length of what was sent in the record', async t => {
  const { gateway } = await both(t, { policy: async () => refusal({ status: 429, type: 'rate_limit_error', message: 'full', reason: 'queue-full', retryAfterSeconds: 3 }) })
  const answer = await post(`${gateway.url}/v1/messages`, {}, { 'x-api-key': 'k' })
  check(t, 'refused', answer, 429, 'rate_limit_error', 'queue-full')
  t.equal(answer.headers.get('retry-after'), '3')
  await gateway.recorded(1)
  t.match(gateway.records[0], { outcome: 'refused', bytes: answer.bytes.length })
  const other = await post(`${gateway.url}/v1/chat/completions`, {}, { 'x-api-key': 'k' })
  t.same(JSON.parse(other.bytes.toString()), { error: { code: 429, message: 'full', type: 'rate_limit_error', reason: 'queue-full' } })
})

t.test('llama-server\'s own errors are passed on as they are; a full KV pool and a time limit are ours to tell', async t => {
  const upstream = await both(t)
  const url = `${upstream.gateway.url}/v1/messages`
  const error = (status: string, body: string): string => `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  const own = '{"error":{"code":400,"message":"bad","type":"invalid_request_error"}}'
  upstream.answer = error('400 Bad Request', own)
  t.equal((await post(url, {}, { 'x-api-key': 'k' })).bytes.toString(), own)
  upstream.answer = error('500 Internal Server Error', '{"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}')
  check(t, 'KV pool', await post(url, {}, { 'x-api-key': 'k' }), 503, 'overloaded_error', 'kv-full')
  const silent = await both(t, { limits: { firstByteTimeoutMs: 20 } })
  silent.answer = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5\r\n\r\n'
  check(t, 'silent', await post(`${silent.gateway.url}/v1/messages`, {}, { 'x-api-key': 'k' }), 504, 'timeout_error', 'first-byte-timeout')
})
