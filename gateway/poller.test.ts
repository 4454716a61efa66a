import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { FakeClock, settle } from '../policies/testing.js'
import { Poller } from './poller.js'
import { UpstreamGet } from './upstream-get.js'

interface Served { readonly status: number, readonly body: string }

/** A server of which the test says what each path answers, and a poller that asks it every 2 s of a clock by hand. */
async function polled (t: Test, answers: Record<string, Served>): Promise<{ poller: Poller, clock: FakeClock, asked: string[] }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    asked.push(path)
    const { status, body } = answers[path] ?? { status: 404, body: '{}' }
    response.writeHead(status, { 'content-type': 'text/plain' }).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const get = new UpstreamGet(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, undefined, 60_000)
  const clock = new FakeClock()
  t.teardown(async () => {
    await get.close()
    server.close()
  })
  return { poller: new Poller(get, clock, 2000), clock, asked }
}

function metrics (processing: string, deferred?: number): Served {
  return { status: 200, body: `# TYPE llamacpp:requests_processing gauge\nllamacpp:requests_processing ${processing}\n${deferred === undefined ? '' : `llamacpp:requests_deferred ${deferred}\n`}` }
}

t.test('who asks within the interval gets the last answer, who asks meanwhile waits for the same one', async t => {
  const { poller, clock, asked } = await polled(t, { '/metrics': metrics('1') })
  const [a, b] = await Promise.all([poller.read('/metrics'), poller.read('/metrics')])
  t.equal(a, b)
  await clock.advance(1999)
  t.equal(await poller.read('/metrics'), a)
  t.equal(asked.length, 1)
  await clock.advance(1)
  t.not(await poller.read('/metrics'), a)
  t.equal(asked.length, 2)
})

t.test('the load, by /metrics', async t => {
  const cases: ReadonlyArray<readonly [Served, object]> = [
    [metrics('3', 2), { processing: 3, deferred: 2 }],
    [metrics('0'), { processing: 0, deferred: 0 }],
    [{ status: 200, body: 'llamacpp:requests_processing{model="a"} 4\n' }, { processing: 4, deferred: 0 }],
    [{ status: 503, body: '{"error":{"message":"Loading model"}}' }, {}]
  ]
  for (const [served, load] of cases) {
    const { poller, asked } = await polled(t, { '/metrics': served })
    const reading = await poller.readLoad()
    if (served.status === 503) t.equal(reading, 'no answer')
    else t.match(reading, { ...load, askedAtMs: 1000, atMs: 1000 })
    if (served.status !== 503) t.match(poller.load, load)
    t.same(asked, ['/metrics'])
  }
})

t.test('without /metrics the load comes from /slots from then on, each after the interval', async t => {
  const { poller, clock, asked } = await polled(t, { '/slots': { status: 200, body: '[{"is_processing":true},{"is_processing":false},{}]' } })
  const first = poller.readLoad()
  while (clock.timers === 0) await settle()
  t.same(asked, ['/metrics'], '/slots waits for its turn')
  await clock.advance(2000)
  t.match(await first, { processing: 1, deferred: 0, askedAtMs: 3000 })
  const second = poller.readLoad()
  await clock.advance(1999)
  await settle()
  t.equal(asked.length, 2)
  await clock.advance(1)
  t.match(await second, { processing: 1 })
  t.same(asked, ['/metrics', '/slots', '/slots'])
})

t.test('a server of which nothing can be read, and one that is gone', async t => {
  const { poller, clock } = await polled(t, { '/slots': { status: 200, body: '{}' } })
  const reading = poller.readLoad()
  reading.catch(() => {})
  while (clock.timers === 0) await settle()
  await clock.advance(2000)
  await t.rejects(reading, /neither \/metrics nor \/slots/)
  const get = new UpstreamGet('http://127.0.0.1:1', undefined, 60_000)
  t.teardown(() => get.close())
  t.equal(await new Poller(get, new FakeClock(), 0).readLoad(), 'gone')
})

t.test('the slots, in turn with the load: never two readings within the interval', async t => {
  const slots = JSON.stringify([{ id: 0, is_processing: false }, { id: 1, id_task: 7, is_processing: true }])
  const { poller, clock, asked } = await polled(t, { '/metrics': metrics('1'), '/slots': { status: 200, body: slots } })
  t.same(await poller.readSlots(), { slots: [{ id: 0, busy: false }, { id: 1, busy: true, taskId: 7 }], askedAtMs: 1000, atMs: 1000 })
  const readings = Promise.all([poller.readLoad(), poller.readSlots()])
  await clock.advance(2000)
  // Both the question and its answer go over a real socket.
  while (asked.length < 2) await settle()
  t.same(asked, ['/slots', '/metrics'])
  while (clock.timers === 0) await settle()
  await clock.advance(2000)
  t.match((await readings)[1], { askedAtMs: 5000 })
})

t.test('a server that does not show its slots', async t => {
  for (const served of [{ status: 501, body: '{"error":{}}' }, { status: 503, body: '{}' }, { status: 200, body: '{}' }]) {
    const { poller } = await polled(t, { '/slots': served })
    t.equal(await poller.readSlots(), undefined, `${served.status}`)
  }
})
