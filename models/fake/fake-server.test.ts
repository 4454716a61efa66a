import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { startFakeServer, type FakeOptions } from './fake-server.js'
import { Exchange } from './testing-client.js'

async function start (t: Test, options: FakeOptions = {}) {
  const fake = await startFakeServer(options)
  t.teardown(() => fake.close())
  const complete = (prompt: string, more: object = {}) => new Exchange(`${fake.url}/completion`, { prompt, n_predict: 3, ...more })
  return { fake, complete }
}

t.test('held: headers come when the slot starts, tokens only by steps', async t => {
  const { fake, complete } = await start(t, { manual: true, slots: 1 })
  const first = complete('a', { stream: true })
  t.equal((await first.head).status, 200)
  const second = complete('b', { stream: true })
  await fake.waitFor(stats => stats.deferred === 1)
  t.equal(first.text, '')
  for (let step = 0; step < 3; step++) t.equal(fake.step(), true)
  t.equal((await first.events()).length, 4)
  t.equal((await second.head).status, 200, 'it has the slot now')
  await fake.release()
  t.equal((await second.events()).length, 4)
  t.match(fake.stats, { received: 2, running: 0, deferred: 0, peakRunning: 1, completed: 2, cancelled: 0, byPath: { '/completion': 2 } })
  t.throws(() => fake.step(), /only while it is held/)
})

t.test('waiting calls are served in their order', async t => {
  const { fake, complete } = await start(t, { manual: true, slots: 1 })
  const started: string[] = []
  const calls = []
  for (const [index, name] of ['a', 'b', 'c', 'd'].entries()) {
    const call = complete(name, { stream: true, n_predict: 1 })
    call.head.then(() => started.push(name))
    calls.push(call)
    await fake.waitFor(stats => stats.received === index + 1)
  }
  for (const [index, call] of calls.entries()) {
    t.match(fake.stats, { running: 1, deferred: 3 - index })
    await call.head
    t.strictSame(started, ['a', 'b', 'c', 'd'].slice(0, index + 1))
    fake.step()
    await call.body
  }
  t.strictSame(fake.requests.map(request => JSON.parse(request.body.toString()).prompt), ['a', 'b', 'c', 'd'])
  t.equal(fake.stats.peakRunning, 1)
})

t.test('waitFor says what it waited for and what there is', async t => {
  const { fake } = await start(t)
  await t.rejects(fake.waitFor(stats => stats.running === 9, 1), /waited 1 ms for .*running === 9.*"running":0/)
})

t.test('who leaves keeps his slot until the next decode call, his place in the queue not', async t => {
  const { fake, complete } = await start(t, { manual: true, slots: 1 })
  const running = complete('a', { stream: true })
  await running.head
  const waiting = complete('b')
  await fake.waitFor(stats => stats.deferred === 1)
  waiting.leave()
  await fake.waitFor(stats => stats.cancelled === 1)
  t.match(fake.stats, { running: 1, deferred: 0 })
  const next = complete('c')
  await fake.waitFor(stats => stats.deferred === 1)
  running.leave()
  await fake.waitFor(stats => stats.left === 2)
  t.match(fake.stats, { running: 1, deferred: 1, cancelled: 1 })
  fake.step()
  t.match(fake.stats, { running: 1, deferred: 0, cancelled: 2 }, 'the next has it')
  await fake.release()
  t.equal((await next.head).status, 200)
})

t.test('faults of one call', async t => {
  const { fake, complete } = await start(t)
  await t.test('reset before headers', async t => {
    await fake.fail({ kind: 'reset-before-headers' })
    await t.rejects(complete('a').head, { code: 'ECONNRESET' })
  })
  await t.test('hang before headers', async t => {
    await fake.fail({ kind: 'hang-before-headers' })
    const received = fake.stats.received
    const call = complete('a')
    await fake.waitFor(stats => stats.received === received + 1)
    t.equal(fake.stats.running, 0)
    call.leave()
    await t.rejects(call.head)
  })
  await t.test('cut in mid-stream', async t => {
    await fake.fail({ kind: 'cut-mid-stream', afterEvents: 2 })
    const call = complete('a', { stream: true })
    await t.rejects(call.body, { code: 'ECONNRESET' })
    t.equal(call.text.match(/data: /g)?.length, 2)
  })
  await t.test('cut in the middle of a whole answer', async t => {
    await fake.fail({ kind: 'cut-mid-stream', afterEvents: 2 })
    const call = complete('a')
    await t.rejects(call.body, { code: 'ECONNRESET' })
    t.match(call.text, /^\{"index"/)
  })
  await t.test('hang in mid-stream', async t => {
    await fake.fail({ kind: 'hang-mid-stream', afterEvents: 1 })
    const completed = fake.stats.completed
    const call = complete('a', { stream: true })
    await fake.waitFor(stats => stats.completed === completed + 1)
    call.leave()
    await t.rejects(call.body)
    t.equal(call.text.match(/data: /g)?.length, 1)
  })
  await t.test('split byte by byte', async t => {
    const whole = await complete('a', { stream: true }).body
    await fake.fail({ kind: 'split', sizes: [1] })
    const call = complete('a', { stream: true })
    t.equal((await call.body).replace(/"timings":.*/, ''), whole.replace(/"timings":.*/, ''))
    t.ok(call.chunks.every(chunk => chunk.length === 1))
    await t.rejects(fake.fail({ kind: 'split', sizes: [] }), /split sizes are \[\]/)
  })
  await t.test('KV pool full', async t => {
    await fake.fail({ kind: 'kv-full' })
    const plain = complete('a', { stream: true })
    t.equal((await plain.head).status, 500)
    t.match(await plain.json(), { error: { code: 500, message: 'Context size has been exceeded.' } })
    await fake.fail({ kind: 'kv-full', afterEvents: 2 })
    const stream = complete('a', { stream: true })
    t.equal((await stream.head).status, 200)
    t.match((await stream.events()).slice(1), [{ content: ' w1' }, { error: { code: 500 } }])
    await fake.fail({ kind: 'kv-full', afterEvents: 0 })
    const inPrefill = complete('a', { stream: true })
    t.equal((await inPrefill.head).status, 200)
    t.match(await inPrefill.events(), [{ error: { code: 500 } }])
  })
  await t.test('only the path asked for, so many times', async t => {
    await fake.fail({ kind: 'reset-before-headers' }, { path: '/props', times: 2 })
    t.equal((await complete('a').head).status, 200)
    await t.rejects(new Exchange(`${fake.url}/props`).head)
    await t.rejects(new Exchange(`${fake.url}/props`).head)
    t.equal((await new Exchange(`${fake.url}/props`).head).status, 200)
  })
})

t.test('KV pool full hits the others that run', async t => {
  const { fake, complete } = await start(t, { manual: true })
  const other = complete('b', { stream: true })
  await other.head
  fake.step()
  await fake.fail({ kind: 'kv-full' })
  t.equal((await complete('a').head).status, 500)
  t.match(await other.events(), [{ content: String }, { error: { code: 500 } }])
  t.match(fake.stats, { running: 0, failed: 2 })
})

t.test('wedged: nothing is decoded, /health says 200, /slots hangs', async t => {
  const { fake, complete } = await start(t)
  await fake.fail({ kind: 'wedge' })
  const call = complete('a', { stream: true })
  await call.head
  const slots = new Exchange(`${fake.url}/slots`)
  await fake.waitFor(stats => stats.byPath['/slots'] === 1)
  t.equal((await new Exchange(`${fake.url}/health`).head).status, 200)
  t.equal(slots.text, '')
  t.equal(fake.stats.running, 1)
  await fake.release()
  t.match(await slots.json(), [{ is_processing: true }, { is_processing: false }, {}, {}])
  await call.body
})

t.test('refused: no connection until the release, then on the same port', async t => {
  const { fake, complete } = await start(t)
  await fake.fail({ kind: 'refuse' })
  await t.rejects(complete('a').head, { code: 'ECONNREFUSED' })
  await fake.release()
  t.equal((await complete('a').head).status, 200)
})

t.test('loading and the API key', async t => {
  const { fake } = await start(t, { apiKey: 'secret' })
  const status = async (path: string, headers: Record<string, string> = {}) => (await new Exchange(fake.url + path, undefined, headers).head).status
  t.equal(await status('/health'), 200)
  t.equal(await status('/props'), 401)
  t.equal(await status('/props', { authorization: 'Bearer secret' }), 200)
  t.equal(await status('/props', { 'x-api-key': 'secret' }), 200)
  await fake.fail({ kind: 'loading' })
  t.match(await new Exchange(`${fake.url}/health`).json(), { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } })
  await fake.release()
  t.equal(await status('/health'), 200)
})

t.test('options out of range name the option and the value', async t => {
  await t.rejects(startFakeServer({ slots: 0 }), /slots is 0; give a number of at least 1/)
  await t.rejects(startFakeServer({ decodeMsPerToken: NaN }), /decodeMsPerToken is NaN/)
})

t.test('an idle keep-alive connection is closed by the server, a busy one is not', async t => {
  const { fake, complete } = await start(t, { keepAliveTimeoutMs: 1, manual: true })
  const busy = complete('a', { stream: true })
  await busy.head
  const idle = connect(fake.port, '127.0.0.1')
  idle.write('GET /health HTTP/1.1\r\nHost: fake\r\n\r\n')
  let heard = ''
  idle.on('data', data => { heard += data.toString() })
  await once(idle, 'end')
  t.match(heard, /Keep-Alive: timeout=0/, 'seconds, rounded')
  await fake.release()
  t.equal((await busy.events()).length, 4)
})
