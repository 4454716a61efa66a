import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { Connections } from './connections.js'

async function connectionsOf (t: Test): Promise<{ connections: Connections, closeAll: () => void, opened: () => number }> {
  let opened = 0
  const server = createServer((_request, response) => { response.end('ok') })
  server.on('connection', () => { opened++ })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const connections = new Connections(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 1000)
  t.teardown(async () => {
    await connections.close()
    server.closeAllConnections()
    server.close()
  })
  return { connections, closeAll: () => { server.closeAllConnections() }, opened: () => opened }
}

async function use ({ client }: ReturnType<Connections['take']>): Promise<void> {
  await (await client.request({ path: '/', method: 'GET' })).body.dump()
}

t.test('one for each call that runs, and one that was given back is used again', async t => {
  const { connections, opened } = await connectionsOf(t)
  const [a, b] = [connections.take(), connections.take()]
  t.not(a.client, b.client)
  t.same([a.reused, b.reused], [false, false])
  await Promise.all([use(a), use(b)])
  t.equal(opened(), 2)
  connections.giveBack(a.client)
  const again = connections.take()
  t.equal(again.client, a.client)
  t.ok(again.reused)
  await use(again)
  t.equal(opened(), 2)
  t.equal(connections.open, 2)
  t.notOk(connections.fresh().reused, 'fresh even if there were an idle one')
})

t.test('one that was dropped never comes back', async t => {
  const { connections } = await connectionsOf(t)
  const { client } = connections.take()
  await use({ client, reused: false })
  connections.giveBack(client)
  connections.drop(client)
  connections.drop(client)
  t.ok(client.destroyed)
  t.equal(connections.open, 0)
  t.not(connections.take().client, client)
  connections.giveBack(client)
  t.not(connections.take().client, client, 'given back too late')
})

t.test('one that upstream closed while it was idle is not handed out', async t => {
  const { connections, closeAll } = await connectionsOf(t)
  const first = connections.take()
  await use(first)
  connections.giveBack(first.client)
  const disconnected = once(first.client, 'disconnect')
  closeAll()
  await disconnected
  t.equal(connections.open, 0)
  t.notOk(connections.take().reused)
})

t.test('close ends all of them, also those that run', async t => {
  const { connections } = await connectionsOf(t)
  const [idle, running] = [connections.take(), connections.take()]
  await use(idle)
  connections.giveBack(idle.client)
  await connections.close()
  t.ok(idle.client.destroyed && running.client.destroyed)
  t.equal(connections.open, 0)
})
