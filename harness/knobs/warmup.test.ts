import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import type { ServerRunning } from './contract.js'
import { knobOf, launchOf, runningBlock } from './testing.js'

/** A server that answers the n-th request with a status of its own, and tells how many it had at once. */
async function blockWith (t: Test, statusOf: (n: number) => number): Promise<ServerRunning & { readonly seen: { most: number, keys: Set<string | undefined> } }> {
  const seen = { most: 0, keys: new Set<string | undefined>() }
  let [count, open] = [0, 0]
  const server = createServer((request, response) => {
    seen.most = Math.max(seen.most, ++open)
    seen.keys.add(request.headers.authorization)
    request.resume().on('end', () => setImmediate(() => {
      open--
      response.writeHead(statusOf(++count)).end('{}')
    }))
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { ...runningBlock({ url: `http://127.0.0.1:${port}`, server: launchOf({ slots: 2 }) }), seen }
}

t.test('as many as asked, at most one for each slot at once, all answered', async t => {
  const at = await blockWith(t, () => 200)
  const knob = knobOf('warmup=5')
  await knob.running?.(at)
  t.strictSame(await knob.readBack(at), { 'warm-up requests answered': '5 of 5' })
  t.ok(at.seen.most <= 2)
  t.strictSame([...at.seen.keys], ['Bearer key'])
})

t.test('a refusal does not warm', async t => {
  const at = await blockWith(t, n => n === 2 ? 503 : 200)
  const knob = knobOf('warmup=3')
  await knob.running?.(at)
  await t.rejects(knob.readBack(at), /answered 2 of 3 with 200; the others: 503/)
})

t.test('stops with the run', async t => {
  const at = await blockWith(t, () => 200)
  await t.rejects(async () => await knobOf('warmup=3').running?.({ ...at, signal: AbortSignal.abort(new Error('stopped by the user')) }), /stopped by the user/)
})
