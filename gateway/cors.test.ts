import { createHash } from 'node:crypto'
import t from 'tap'
import type { Test } from 'tap'
import { refusal } from '../policies/answers.js'
import { post, registryOf, startRawUpstream, startTestGateway } from './testing.js'
import type { RawUpstream, TestGateway } from './testing.js'

const page = 'https://chat.example.org'
/** As llama-server answers: every origin may read it. */
const upstreamsOwn = 'access-control-allow-origin: https://evil.example\r\naccess-control-allow-credentials: true\r\n'
const stream = 'data: [DONE]\n\n'

async function both (t: Test, config: object): Promise<{ gateway: TestGateway, upstream: RawUpstream }> {
  const upstream = await startRawUpstream((socket, number) => {
    const request = upstream.requests[number - 1] ?? ''
    if (request.includes('x-break')) socket.destroy()
    else if (request.includes('"stream":true')) socket.write(`HTTP/1.1 200 OK\r\n${upstreamsOwn}content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n${stream.length.toString(16)}\r\n${stream}\r\n0\r\n\r\n`)
    else socket.write(`HTTP/1.1 200 OK\r\n${upstreamsOwn}${request.startsWith('GET') ? 'vary: Accept-Encoding\r\n' : ''}content-type: application/json\r\ncontent-length: 2\r\n\r\n{}`)
  })
  const registry = registryOf({
    full: async (call, next) => call.headers.has('x-full')
      ? refusal({ status: 429, type: 'rate_limit_error', message: 'full', reason: 'queue-full', retryAfterSeconds: 1 })
      : await next(call, 'passed')
  })
  const gateway = await startTestGateway({ upstream: upstream.url, registry, config: { policies: [{ name: 'full' }], limits: { bodyBytes: 2000 }, ...config } })
  t.teardown(async () => { await gateway.stop(); await upstream.close() })
  return { gateway, upstream }
}

const apiKeys = [{ name: 'ann', sha256: createHash('sha256').update('k').digest('hex') }]
const key = { authorization: 'Bearer k' }

interface Headed { readonly headers: Headers }

function corsOf ({ headers }: Headed): Array<readonly [string, string]> {
  return [...headers].filter(([name]) => name.startsWith('access-control-'))
}

async function preflight (url: string, origin: string): Promise<Response> {
  return await fetch(url, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type,x-stainless-os' } })
}

t.test('off by default: llama-server\'s own permission for every origin does not reach the page', async t => {
  const { gateway } = await both(t, {})
  const from = { origin: 'https://evil.example' }
  for (const answer of [
    await fetch(`${gateway.url}/v1/models`, { headers: from }),
    await post(`${gateway.url}/completion`, {}, from),
    await post(`${gateway.url}/completion`, { stream: true }, from),
    await preflight(`${gateway.url}/completion`, from.origin),
    await post(`${gateway.url}/completion`, '{', from)
  ]) t.same(corsOf(answer), [])
})

t.test('a preflight is answered without a key and without llama-server', async t => {
  const { gateway, upstream } = await both(t, { cors: { origins: ['http://localhost:5173', page], maxAgeSeconds: 60 }, apiKeys })
  for (const path of ['/v1/chat/completions', '/v1/models', '/weir/status', '/tools', '/']) {
    const answer = await preflight(gateway.url + path, page)
    t.equal(answer.status, 204, path)
    t.match(Object.fromEntries(answer.headers), {
      'access-control-allow-origin': page,
      'access-control-allow-methods': /\bPOST\b/,
      'access-control-allow-headers': 'authorization,content-type,x-stainless-os',
      'access-control-max-age': '60',
      vary: /\bOrigin\b/
    }, path)
    t.equal(answer.headers.get('access-control-allow-credentials'), null)
  }
  t.equal((await preflight(`${gateway.url}/completion`, 'https://evil.example')).headers.get('access-control-allow-origin'), null)
  t.equal((await fetch(gateway.url, { method: 'OPTIONS' })).status, 204, 'one that is no preflight')
  t.equal(upstream.requests.length, 0)
  t.equal(gateway.passed.length, 0)
})

t.test('every answer says once that its page may read it, and what of it', async t => {
  const { gateway, upstream } = await both(t, { cors: { origins: [page] }, apiKeys })
  const chat = `${gateway.url}/v1/chat/completions`
  const from = { origin: page, ...key }
  const answers: ReadonlyArray<readonly [what: string, status: number, answer: Headed & { readonly status: number }]> = [
    ['a stream', 200, await post(chat, { stream: true }, from)],
    ['a whole answer', 200, await post(chat, {}, from)],
    ['passed through', 200, await fetch(`${gateway.url}/v1/models`, { headers: from })],
    ['its own', 200, await fetch(`${gateway.url}/weir/status`, { headers: from })],
    ['refused by a policy', 429, await post(chat, {}, { ...from, 'x-full': '1' })],
    ['no JSON', 400, await post(chat, '{', from)],
    ['compressed', 415, await post(chat, {}, { ...from, 'content-encoding': 'gzip' })],
    ['too large', 413, await post(chat, 'x'.repeat(3000), from)],
    ['too large, past the chain', 413, await post(`${gateway.url}/tokenize`, 'x'.repeat(3000), from)],
    ['no key', 401, await post(chat, {}, { origin: page })],
    ['blocked', 403, await fetch(`${gateway.url}/tools`, { headers: from })],
    ['upstream broke off', 502, await post(chat, {}, { ...from, 'x-break': '1' })],
    ['upstream broke off, past the chain', 503, await fetch(`${gateway.url}/v1/models`, { headers: { ...from, 'x-break': '1' } })]
  ]
  for (const [what, status, answer] of answers) {
    t.equal(answer.status, status, what)
    t.match(Object.fromEntries(corsOf(answer)), { 'access-control-allow-origin': page, 'access-control-expose-headers': 'X-Weir-Id, X-Weir-Reason, X-Weir-Truncated, X-Weir-Cache, Age, Retry-After, Server-Timing' }, what)
    t.equal(corsOf(answer).length, 2, `${what}: nothing of upstream's own`)
    t.match(answer.headers.get('vary'), /(^|, )Origin$/, what)
    const exposed = (answer.headers.get('access-control-expose-headers') ?? '').toLowerCase().split(', ')
    for (const [name] of answer.headers) if (name.startsWith('x-weir-')) t.ok(exposed.includes(name), `${name} is exposed`)
  }
  t.equal(answers[2]?.[2].headers.get('vary'), 'Accept-Encoding, Origin', 'upstream\'s own is kept')
  t.ok(upstream.requests.length >= 5)
})

t.test('a page of another origin gets no permission; other clients get their answers as ever', async t => {
  const { gateway } = await both(t, { cors: { origins: [page] } })
  for (const headers of [{ origin: 'https://evil.example' }, { origin: `${page}.evil.example` }, {}]) {
    for (const answer of [await post(`${gateway.url}/completion`, {}, headers), await fetch(`${gateway.url}/v1/models`, { headers })]) {
      t.equal(answer.status, 200)
      t.equal(answer.headers.get('access-control-allow-origin'), null)
      t.match(answer.headers.get('vary'), /\bOrigin\b/, 'a cache must not give this answer to the other page')
    }
  }
})

t.test('all origins', async t => {
  const { gateway } = await both(t, { cors: { origins: '*' } })
  for (const answer of [await post(`${gateway.url}/completion`, {}, { origin: page }), await fetch(`${gateway.url}/v1/models`), await preflight(`${gateway.url}/completion`, page)]) {
    t.equal(answer.headers.get('access-control-allow-origin'), '*')
    t.equal(answer.headers.get('access-control-allow-credentials'), null)
  }
})
