import { createServer, type Socket } from 'node:net'

/**
 * A stub upstream in the shape of llama-server, on bare sockets so that it costs less than any proxy in front of it. It understands just
 * what proxies send: one request at a time on a keep-alive connection, with content-length or without a body.
 * POST with `"stream":true` → 64 SSE events of about 180 bytes at 200 per second; any other POST → 600 bytes of JSON; GET /props → slots.
 */
const eventsPerStream = 64
const eventIntervalMs = 5

const json = JSON.stringify({ id: 'chatcmpl-stub', object: 'chat.completion', created: 1, model: 'stub', choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'x'.repeat(330) } }], usage: { prompt_tokens: 12, completion_tokens: 64, total_tokens: 76 }, timings: { prompt_n: 12, prompt_ms: 10, predicted_n: 64, predicted_ms: 320 } })
const props = JSON.stringify({ total_slots: 512, default_generation_settings: { n_ctx: 4096 }, model_path: 'stub', build_info: 'stub' })

function whole (body: string, type = 'application/json'): Buffer {
  return Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}

function chunk (text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`)
}

const jsonAnswer = whole(json)
const propsAnswer = whole(props)
const metricsAnswer = whole('llamacpp:requests_processing 0\nllamacpp:requests_deferred 0\n', 'text/plain')
const sseHead = Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n')
const event = chunk(`data: ${JSON.stringify({ choices: [{ finish_reason: null, index: 0, delta: { content: ' token' } }], created: 1, id: 'chatcmpl-stub', model: 'stub', object: 'chat.completion.chunk', pad: 'x'.repeat(20) })}\n\n`)
const sseEnd = Buffer.concat([chunk('data: [DONE]\n\n'), Buffer.from('0\r\n\r\n')])

function stream (socket: Socket): void {
  socket.write(sseHead)
  let sent = 0
  const stop = (): void => { clearInterval(timer) }
  const timer = setInterval(() => {
    socket.write(event)
    if (++sent === eventsPerStream) {
      stop()
      socket.off('close', stop)
      socket.write(sseEnd)
    }
  }, eventIntervalMs)
  socket.once('close', stop)
}

function answer (socket: Socket, head: string, body: string): void {
  if (head.startsWith('POST')) {
    if (body.includes('"stream":true')) stream(socket)
    else socket.write(jsonAnswer)
  } else socket.write(head.startsWith('GET /metrics') ? metricsAnswer : propsAnswer)
}

const server = createServer({ noDelay: true }, socket => {
  let buffered = ''
  socket.on('error', () => socket.destroy())
  socket.on('data', data => {
    buffered += data.toString('latin1')
    for (;;) {
      const end = buffered.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = buffered.slice(0, end)
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
      if (buffered.length < end + 4 + length) return
      const body = buffered.slice(end + 4, end + 4 + length)
      buffered = buffered.slice(end + 4 + length)
      answer(socket, head, body)
    }
  })
})
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1')
