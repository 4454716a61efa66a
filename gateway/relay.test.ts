import type { Socket } from 'node:net'
import t from 'tap'
import { TurnClock } from './testing-clock.js'
import { messageOf, post, startRawUpstream, startTestGateway } from './testing.js'

const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'
const events = ['data: {"content":"Gr\u00fc\u00df"}\n\n', 'data: {"content":"e","timings":{"prompt_n":3,"prompt_ms":7,"predicted_n":2,"predicted_ms":9}}\n\n', 'data: [DONE]\n\n']
const body = Buffer.from(events.join(''))
const wire = Buffer.from(head + events.map(event => `${Buffer.byteLength(event).toString(16)}\r\n${event}\r\n`).join('') + '0\r\n\r\n')

function writeInTurns (socket: Socket, parts: readonly Buffer[]): void {
  const [first, ...rest] = parts
  if (first === undefined) return
  socket.write(first)
  setImmediate(() => { writeInTurns(socket, rest) })
}

t.test('the client gets the bytes of upstream, wherever they are split', async t => {
  let split = 0
  const upstream = await startRawUpstream(socket => {
    const parts = split === 0 ? Array.from(wire, (_, at) => wire.subarray(at, at + 1)) : [wire.subarray(0, split), wire.subarray(split)]
    writeInTurns(socket, parts)
  })
  const gateway = await startTestGateway({ upstream: upstream.url })
  t.teardown(async () => { await gateway.stop(); await upstream.close() })
  const wrong: number[] = []
  for (split = 0; split < wire.length; split++) {
    const answer = await post(`${gateway.url}/v1/chat/completions`, { stream: true, at: split })
    if (answer.broken || !answer.bytes.equals(body)) wrong.push(split)
  }
  t.same(wrong, [], 'split points with other bytes')
  await gateway.recorded(wire.length)
  t.ok(gateway.records.every(record => record.outcome === 'complete' && record.bytes === body.length))
  t.same(gateway.records.at(-1)?.timings, { prompt_n: 3, prompt_ms: 7, predicted_n: 2, predicted_ms: 9 })
  t.equal(gateway.records.at(-1)?.promptTokens, 3)
  t.equal(gateway.records.at(-1)?.outputTokens, 2)
})

t.test('the request goes up as the client wrote it, without what belongs to its connection', async t => {
  const upstream = await startRawUpstream(socket => { socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive, x-hop\r\nx-hop: 1\r\nx-end: 2\r\n\r\n{}') })
  const gateway = await startTestGateway({ upstream: upstream.url, apiKey: 'upstream-key' })
  t.teardown(async () => { await gateway.stop(); await upstream.close() })
  const text = '{ "prompt" : "a\\u00fc\u00fc",\n"n_predict":1 }'
  const answer = await post(`${gateway.url}/completion?x=1`, text, { authorization: 'Bearer client-key', 'x-conversation-id': 'c1', 'x-mine': 'kept' })
  const request = Buffer.from(upstream.requests[0] ?? '', 'latin1').toString()
  t.match(request, /^POST \/completion\?x=1 HTTP\/1\.1\r\n/)
  t.ok(request.endsWith(`\r\n\r\n${text}`), 'same bytes')
  t.match(request, /authorization: Bearer upstream-key\r\n/i)
  t.match(request, /x-mine: kept\r\n/i)
  t.notMatch(request, /client-key|x-conversation-id/i)
  t.equal(answer.headers.get('x-end'), '2')
  t.equal(answer.headers.get('x-hop'), null)
  t.equal(answer.bytes.toString(), '{}')
})

t.test('a small answer of known length is whole or it is a fault: never sent twice upstream, never half to the client', async t => {
  let mode: 'whole' | 'break' | 'hang' = 'whole'
  const upstream = await startRawUpstream(socket => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 8\r\n\r\n${mode === 'whole' ? '{"a":11}' : '{"a"'}`)
    if (mode === 'break') setImmediate(() => { socket.destroy() })
  })
  const gateway = await startTestGateway({ upstream: upstream.url, releaseFallbackMs: 1, clock: new TurnClock(), config: { limits: { idleTimeoutMs: 50 } } })
  t.teardown(async () => { await gateway.stop(); await upstream.close() })
  const url = `${gateway.url}/v1/chat/completions`
  t.equal((await post(url, {})).bytes.toString(), '{"a":11}')
  mode = 'break'
  const broken = await post(url, {})
  t.match({ status: broken.status, broken: broken.broken, reason: broken.headers.get('x-weir-reason') }, { status: 502, broken: false, reason: 'upstream-lost' })
  t.equal(upstream.requests.length, 2, 'the kept connection had answered: the call is not sent again')
  mode = 'hang'
  const hanging = await post(url, {})
  t.equal(hanging.status, 504)
  t.match(messageOf(hanging), /within 50 ms \(limits\.idleTimeoutMs\)/)
  await gateway.recorded(3)
  t.same(gateway.records.map(({ outcome, status }) => [outcome, status]), [['complete', 200], ['fault', 502], ['fault', 504]])
})

t.test('an upstream that breaks off in the middle never looks complete', async t => {
  let type = 'text/event-stream'
  const upstream = await startRawUpstream(socket => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ntransfer-encoding: chunked\r\n\r\n6\r\ndata: \r\n`)
    setImmediate(() => { socket.destroy() })
  })
  const gateway = await startTestGateway({ upstream: upstream.url, releaseFallbackMs: 1 })
  t.teardown(async () => { await gateway.stop(); await upstream.close() })
  const stream = await post(`${gateway.url}/v1/chat/completions`, { stream: true })
  t.ok(stream.broken, 'the connection breaks')
  t.match(stream.bytes.toString(), /^data: \n\ndata: \{"error":\{"code":502,.*\}\}\n\n$/)
  const anthropic = await post(`${gateway.url}/v1/messages`, { stream: true })
  t.match(anthropic.bytes.toString(), /\n\nevent: error\ndata: \{"type":"error","error":\{"code":502,.*,"type":"api_error"\}\}\n\n$/)
  type = 'application/json'
  const whole = await post(`${gateway.url}/v1/chat/completions`, {})
  t.ok(whole.broken)
  t.equal(whole.bytes.toString(), 'data: ', 'nothing added to an answer that is no stream')
  await gateway.recorded(3)
  t.same(gateway.records.map(({ outcome, status }) => [outcome, status]), [['cut', 200], ['cut', 200], ['cut', 200]])
})

t.test('a stream that upstream ends properly but without its last event never looks complete either', async t => {
  let [text, type, length] = ['', 'text/event-stream', false]
  const upstream = await startRawUpstream(socket => {
    const size = Buffer.byteLength(text)
    socket.write(`HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\n${length ? `content-length: ${size}\r\n\r\n${text}` : `transfer-encoding: chunked\r\n\r\n${size.toString(16)}\r\n${text}\r\n0\r\n\r\n`}`)
  })
  const gateway = await startTestGateway({ upstream: upstream.url, config: { policies: [{ name: 'admission', slots: 1 }] } })
  t.teardown(async () => { await gateway.stop(); await upstream.close() })
  const error = '\\{"code":502,"message":"llama-server broke off in the middle of the answer \\(it ended the stream without'
  const cases: ReadonlyArray<readonly [path: string, text: string, added: RegExp]> = [
    ['/v1/chat/completions', 'data: {"choices":[]}\n\n', new RegExp(`^\n\ndata: \\{"error":${error} data: \\[DONE\\]\\)`)],
    ['/v1/completions?x=1', 'data: {"text":"data: [DONE]"}\n\n', new RegExp(`^\n\ndata: \\{"error":${error} data: \\[DONE\\]\\)`)],
    ['/completion', 'data: {"content":"a","stop":false}\n\n', new RegExp(`^\n\ndata: \\{"error":${error} "stop":true\\)`.replace('"stop":true', '\\\\"stop\\\\":true'))],
    ['/infill', 'data: {"content":"a","stop":false}\n\n', /^\n\ndata: \{"error":/],
    ['/v1/messages', 'event: message_delta\ndata: {"type":"message_delta"}\n\n', new RegExp(`^\n\nevent: error\ndata: \\{"type":"error","error":${error} message_stop\\)`)],
    ['/v1/responses', 'event: response.created\ndata: {"type":"response.created"}\n\n', /^\n\nevent: error\ndata: \{"type":"error","code":"502".* without response\.completed\)/]
  ]
  for (length of [false, true]) {
    for (const [path, sent, added] of cases) {
      text = sent
      const answer = await post(gateway.url + path, { stream: true })
      const got = answer.bytes.toString()
      t.ok(answer.broken, `${path}: the connection breaks`)
      t.ok(got.startsWith(sent), `${path}: what came is relayed`)
      t.match(got.slice(sent.length), added)
    }
  }
  await gateway.recorded(2 * cases.length)
  t.ok(gateway.records.every(({ outcome, status }) => outcome === 'cut' && status === 200))
  t.match(gateway.gateway.policyGauges()[0]?.gauges, { taken: 0, unconfirmedReleases: 0 }, 'upstream had ended them: no place is kept')
  t.equal(gateway.gateway.releases.zombiePlaces, 0)
  const metrics = await (await fetch(`${gateway.url}/weir/metrics`)).text()
  t.match(metrics, `weir_calls_total{route="generation",status="200",outcome="cut"} ${2 * cases.length}\n`)
  gateway.records.length = 0

  length = false
  const asTheyAre: ReadonlyArray<readonly [path: string, type: string, text: string, outcome: string]> = [
    ['/v1/chat/completions', 'text/event-stream', 'data: {"choices":[]}\n\ndata: [DONE]\n\n', 'complete'],
    ['/v1/chat/completions', 'text/event-stream', 'data: {"error":{"message":"Context size has been exceeded."}}\n\n', 'cut'],
    ['/v1/chat/completions', 'application/json', '{}', 'complete'],
    ['/v1/embeddings', 'text/event-stream', 'data: {}\n\n', 'complete']
  ]
  for (const [path, contentType, sent] of asTheyAre) {
    [text, type] = [sent, contentType]
    const answer = await post(gateway.url + path, { stream: true })
    t.notOk(answer.broken)
    t.equal(answer.bytes.toString(), sent)
  }
  await gateway.recorded(asTheyAre.length)
  t.same(gateway.records.map(({ outcome }) => outcome), asTheyAre.map(([, , , outcome]) => outcome), 'one that upstream itself ended with an error is cut, and told so once')
})

t.test('a kept connection that upstream closed is replaced once, a fresh one is not (L22)', async t => {
  let dieFresh = false
  const upstream = await startRawUpstream((socket, _number, onConnection) => {
    if (dieFresh || onConnection === 2) socket.destroy()
    else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
  })
  const gateway = await startTestGateway({ upstream: upstream.url, releaseFallbackMs: 1 })
  t.teardown(async () => { await gateway.stop(); await upstream.close() })
  t.equal((await post(`${gateway.url}/completion`, { a: 1 })).status, 200)
  t.equal((await post(`${gateway.url}/completion`, { a: 2 })).status, 200, 'answered over a new connection')
  t.equal(upstream.requests.length, 3, 'the second call was sent twice')
  dieFresh = true
  const lost = await post(`${gateway.url}/completion`, { a: 3 })
  t.equal(lost.status, 502)
  t.equal(lost.headers.get('x-weir-reason'), 'upstream-lost')
  t.ok(Number(lost.headers.get('retry-after')) >= 1)
  t.equal(upstream.requests.length, 5, 'kept connection, then one fresh one, then no more')
})

t.test('a slow client slows upstream down and gets every byte', async t => {
  const size = 16 * 2 ** 20
  let buffered = 0
  const upstream = await startRawUpstream(socket => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: ${size}\r\n\r\n`)
    socket.write(Buffer.alloc(size, 'x'))
    buffered = socket.writableLength
  })
  const gateway = await startTestGateway({ upstream: upstream.url })
  t.teardown(async () => { await gateway.stop(); await upstream.close() })
  const answer = await post(`${gateway.url}/completion`, { stream: true })
  t.ok(buffered > 0)
  t.equal(answer.bytes.length, size)
})

t.test('time limits', async t => {
  let bytes = ''
  const upstream = await startRawUpstream(socket => { if (bytes !== '') socket.write(bytes) })
  t.teardown(() => upstream.close())
  async function record (limits: object): Promise<string[]> {
    const gateway = await startTestGateway({ upstream: upstream.url, config: { limits }, releaseFallbackMs: 1 })
    const answer = await post(`${gateway.url}/completion`, { stream: true })
    await gateway.recorded(1)
    await gateway.stop()
    return [String(answer.status), gateway.records[0]?.outcome ?? '', answer.headers.get('x-weir-reason') ?? '']
  }
  t.same(await record({ firstByteTimeoutMs: 30 }), ['504', 'fault', 'first-byte-timeout'])
  t.same(await record({ totalTimeoutMs: 30 }), ['504', 'fault', 'total-timeout'])
  bytes = `${head}1\r\n:\r\n`
  t.same(await record({ idleTimeoutMs: 30 }), ['200', 'cut', ''])
})
