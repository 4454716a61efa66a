import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { FakeClock, makeCall, settle } from '../policies/testing.js'
import { UpstreamBackend } from './backend.js'
import { Poller } from './poller.js'
import { UpstreamGet } from './upstream-get.js'

interface Asked { readonly path: string, readonly body: unknown }

interface Fixture {
  readonly backend: UpstreamBackend
  readonly clock: FakeClock
  readonly asked: Asked[]
  /** By path: what the server answers, with its status if that is not 200. `undefined`: it breaks the connection. */
  readonly answers: Record<string, object | number | undefined>
  /** Resolves when so many requests were asked. */
  askedFor (count: number): Promise<void>
}

/** A backend whose llama-server answers what the test says, on a clock by hand. */
async function backendOf (t: Test, answers: Fixture['answers']): Promise<Fixture> {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', data => { text += String(data) })
    request.on('end', () => {
      const path = request.url ?? ''
      asked.push({ path, body: text === '' ? undefined : JSON.parse(text) })
      const answer = answers[path]
      if (answer === undefined) response.destroy()
      else response.writeHead(typeof answer === 'number' ? answer : 200).end(JSON.stringify(answer))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const get = new UpstreamGet(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, undefined, 60_000)
  const clock = new FakeClock()
  const backend = new UpstreamBackend(get, new Poller(get, clock, 2000), clock)
  t.teardown(async () => {
    backend.close()
    await get.close()
    server.close()
  })
  return { backend, clock, asked, answers, askedFor: async count => { while (asked.length < count) await settle() } }
}

const props = { total_slots: 2, default_generation_settings: { n_ctx: 512 }, model_path: 'm.gguf', build_info: 'b1' }

t.test('what is known comes from /props, and what that does not say has a safe default', async t => {
  const { backend } = await backendOf(t, { '/props': props })
  t.equal(backend.state, 'lost', 'nobody has looked yet')
  t.equal(backend.props(), undefined)
  await backend.look()
  t.equal(backend.state, 'ready')
  t.same(backend.props(), { totalSlots: 2, slotContextTokens: 512, modelPath: 'm.gguf', buildInfo: 'b1' })
  const bare = await backendOf(t, { '/props': {} })
  await bare.backend.look()
  t.same(bare.backend.props(), { totalSlots: 1, slotContextTokens: Infinity, modelPath: '', buildInfo: '' })
})

t.test('while it loads it is looked for each second, until it answers', async t => {
  const { backend, clock, asked, answers, askedFor } = await backendOf(t, { '/props': 503 })
  await backend.look()
  t.equal(backend.state, 'loading')
  backend.lost()
  t.equal(backend.state, 'loading', 'a call that finds it so tells nothing new')
  await clock.advance(999)
  t.equal(asked.length, 1)
  await clock.advance(1)
  await askedFor(2)
  while (clock.timers === 0) await settle()
  answers['/props'] = props
  await clock.advance(1000)
  while (backend.state !== 'ready') await settle()
  await clock.advance(10_000)
  t.equal(asked.length, 3, 'one that is ready is not asked again')
})

t.test('one that was lost: nothing is known of it any more, and it is looked for at once', async t => {
  const { backend, asked, answers, askedFor } = await backendOf(t, { '/props': props })
  await backend.look()
  answers['/props'] = undefined
  backend.lost()
  t.same([backend.state, backend.props()], ['lost', undefined])
  backend.lost()
  await askedFor(2)
  t.equal(asked.length, 2, 'it is lost only once')
})

t.test('Retry-After is as long as it has been away, from 1 to 30 s', async t => {
  const { backend, clock, answers } = await backendOf(t, { '/props': props })
  await backend.look()
  await clock.advance(100_000)
  answers['/props'] = undefined
  backend.lost()
  t.equal(backend.retryAfterSeconds(), 1)
  backend.close()
  await clock.advance(7_000)
  t.equal(backend.retryAfterSeconds(), 7)
  await clock.advance(60_000)
  t.equal(backend.retryAfterSeconds(), 30)
})

t.test('check asks /health: ready, loading, gone', async t => {
  const { backend, answers, asked } = await backendOf(t, { '/props': props, '/health': 503 })
  t.equal(await backend.check(), 'loading')
  answers['/health'] = { status: 'ok' }
  t.equal(await backend.check(), 'ready', 'it looks for what it does not know yet')
  t.same(asked.map(({ path }) => path), ['/health', '/health', '/props'])
  t.equal(await backend.check(), 'ready')
  answers['/health'] = undefined
  answers['/props'] = undefined
  t.equal(await backend.check(), 'lost')
  t.equal(backend.state, 'lost')
})

t.test('nobody is looked for after the end', async t => {
  const { backend, clock, asked } = await backendOf(t, { '/props': 503 })
  await backend.look()
  t.equal(clock.timers, 1)
  backend.close()
  t.equal(clock.timers, 0)
  await backend.look()
  t.equal(asked.length, 1)
})

t.test('tokens of several texts are counted in one round trip', async t => {
  const { backend, asked, answers } = await backendOf(t, { '/tokenize': { tokens: [1, 2, -1, -1, 3] } })
  t.same(await backend.countTexts(['a b', '', 'c']), [2, 0, 1])
  t.match(asked, [{ path: '/tokenize', body: { content: ['a b', -1, '', -1, 'c'], add_special: false } }])
  await t.rejects(backend.countTexts(['a', 'b']), { message: 'llama-server answered /tokenize of 2 texts with 3' })
  answers['/tokenize'] = {}
  await t.rejects(backend.countTexts(['a']), { message: 'llama-server answered /tokenize without tokens' })
})

t.test('the tokens of a call are those of its longest prompt, counted by llama-server unless they are token ids', async t => {
  const { backend, asked, answers } = await backendOf(t, { '/tokenize': { tokens: [1, 2, 3] }, '/apply-template': { prompt: '<user>hi' } })
  const { signal } = makeCall()
  t.equal(await backend.countTokens(makeCall({ path: '/completion' }, { prompt: ['a', [1, 2, 3, 4], 'b'] }), signal), 4)
  t.same(asked.map(({ path }) => path), ['/tokenize', '/tokenize'])
  t.equal(await backend.countTokens(makeCall(), signal), 3)
  t.match(asked.slice(2), [
    { path: '/apply-template', body: { messages: [{ role: 'user', content: 'hi' }] } },
    { path: '/tokenize', body: { content: '<user>hi', add_special: true, parse_special: true } }
  ])
  answers['/tokenize'] = {}
  await t.rejects(backend.countTokens(makeCall(), signal), { message: 'llama-server answered /tokenize without tokens' })
  answers['/apply-template'] = { prompt: 1 }
  await t.rejects(backend.countTokens(makeCall(), signal), { message: 'llama-server answered /apply-template without a prompt' })
  answers['/apply-template'] = 500
  await t.rejects(backend.countTokens(makeCall(), signal), { message: /^llama-server answered \/apply-template with 500/ })
})
