import t from 'tap'
import { spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { parseServerCounters, parseServerGauges, readServerGauges } from './metrics-poll.js'
import { countSockets, startSocketCounter } from './sockets.js'

t.test('ss prints a line a socket', async t => {
  t.same(countSockets(''), { established: 0, closeWait: 0 })
  t.same(countSockets('CLOSE-WAIT 1      0      127.0.0.1:8081 127.0.0.1:46010 \nESTAB      0      0      127.0.0.1:8081 127.0.0.1:46012 \nESTAB 0      0      [::ffff:127.0.0.1]:8081 [::ffff:127.0.0.1]:46014 \n'), { established: 2, closeWait: 1 })
})

t.test('ss counts the server\'s end of each connection only', { skip: spawnSync('ss', ['-V']).status !== 0 && 'no ss' }, async t => {
  const server = createTcpServer()
  const sockets: Socket[] = []
  server.on('connection', socket => sockets.push(socket))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const counter = startSocketCounter(port)
  t.teardown(counter.close)
  t.same(await counter.read(), { established: 0, closeWait: 0 })
  for (let count = 0; count < 3; count++) {
    const socket = connect(port, '127.0.0.1')
    const [accepted] = await Promise.all([once(server, 'connection'), once(socket, 'connect')])
    t.ok(accepted)
    sockets.push(socket)
  }
  const both = await Promise.all([counter.read(), counter.read()])
  t.same(both, [{ established: 3, closeWait: 0 }, undefined], 'one count at a time')
  t.equal((await counter.read())?.established, 3)
})

t.test('without ss, no count', async t => {
  const path = process.env.PATH
  t.teardown(() => { process.env.PATH = path })
  const sh = spawnSync('sh', ['-c', 'command -v sh'], { encoding: 'utf8' }).stdout.trim()
  process.env.PATH = t.testdir({ sh: t.fixture('symlink', sh) })
  const counter = startSocketCounter(1)
  t.teardown(counter.close)
  t.equal(await counter.read(), undefined)
  process.env.PATH = t.testdir({})
  const none = startSocketCounter(1)
  t.equal(await none.read(), undefined)
})

const metrics = `# HELP llamacpp:requests_processing Number of requests processing.
# TYPE llamacpp:requests_processing gauge
llamacpp:requests_processing 4
# TYPE llamacpp:requests_deferred gauge
llamacpp:requests_deferred 17
llamacpp:n_busy_slots_per_decode 3.5
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 1500
llamacpp:tokens_predicted_total 160
llamacpp:n_decode_total 42
`

const read = { requestsProcessing: 4, requestsDeferred: 17, promptTokensTotal: 1500, predictedTokensTotal: 160, decodesTotal: 42 }

t.test('the gauges and counters of llama-server', async t => {
  t.same(parseServerGauges(metrics), read)
  t.same(parseServerGauges('llamacpp:requests_processing{model="m"} 2\n'), { requestsProcessing: 2 })
  t.same(parseServerGauges('{"error":{"code":501}}'), {})
  t.same(parseServerCounters('llamacpp:n_decode_total 65\nllamacpp:tokens_predicted_total{model="m"} 512\n'), { n_decode_total: 65, tokens_predicted_total: 512 })
})

t.test('a server that is silent, refuses or is gone gives nothing', async t => {
  const server = createServer((request, response) => {
    if (request.headers.authorization === 'Bearer silent') return
    response.statusCode = request.headers.authorization === 'Bearer right' && request.url === '/metrics' ? 200 : 401
    response.end(metrics)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  t.same(await readServerGauges(url, 'right', 5000), read)
  t.same(await readServerGauges(url, undefined, 5000), {})
  t.same(await readServerGauges(url, 'silent', 50), {})
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
  t.same(await readServerGauges(url, 'right', 5000), {})
})
