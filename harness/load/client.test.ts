import t, { type Test } from 'tap'
import { channel } from 'node:diagnostics_channel'
import { setMaxListeners } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { CallSample } from '../types.js'
import { nowMs } from '../clock.js'
import { chatBody, openChatClient } from './client.js'
import { EVENT_STREAM, chunk, startStubServer, wholeAnswer, type StubServer } from './stub-server.js'

const prepared = { phase: 'load' as const, seq: 3, cls: 'short', body: chatBody('one two', 4) }
const never = new AbortController().signal
setMaxListeners(0, never)

async function callStub (t: Test, answer: (response: ServerResponse) => void, signal = never): Promise<{ sample: CallSample, stub: StubServer }> {
  const stub = await startStubServer(answer)
  const client = openChatClient({ url: stub.url, apiKey: 'secret' })
  t.teardown(async () => {
    await client.close()
    await stub.close()
  })
  return { sample: await client.call(prepared, nowMs(), signal), stub }
}

t.test('an answer to its end', async t => {
  const { sample, stub } = await callStub(t, response => {
    response.writeHead(200, { ...EVENT_STREAM, 'x-weir-id': 'w1' })
    response.end(wholeAnswer(4))
  })
  t.match(sample, { phase: 'load', seq: 3, cls: 'short', outcome: 'answered', status: 200, chunks: 4, weirId: 'w1', promptTokens: 9, outputTokens: 4, promptMs: 5, predictedMs: 7 })
  t.equal(sample.itlMs.length, 3)
  t.notOk('reason' in sample)
  const { intendedMs, sentMs, headersMs = 0, firstMs = 0, lastMs = 0, doneMs } = sample
  t.ok(intendedMs <= sentMs && sentMs <= headersMs && headersMs <= firstMs && firstMs <= lastMs && lastMs <= doneMs, 'stamps are in order')
  t.match(stub.requests[0], {
    headers: { authorization: 'Bearer secret' },
    body: { messages: [{ role: 'user', content: 'one two' }], max_tokens: 4, ignore_eos: true, stream: true, cache_prompt: false, stream_options: { include_usage: true } }
  })
})

t.test('the first stamp waits for text', async t => {
  let held: ServerResponse | undefined
  let heldUntilMs = 0
  const headersCame = channel('undici:request:headers')
  // The client has the headers: in a later turn it gets the text.
  const onHeaders = (): void => {
    setImmediate(() => {
      heldUntilMs = nowMs()
      held?.end(wholeAnswer(1))
    })
  }
  headersCame.subscribe(onHeaders)
  t.teardown(() => headersCame.unsubscribe(onHeaders))
  const { sample } = await callStub(t, response => {
    held = response
    response.writeHead(200, EVENT_STREAM)
    response.write(chunk(''))
  })
  t.equal(sample.outcome, 'answered')
  t.ok(heldUntilMs > 0 && (sample.firstMs ?? 0) >= heldUntilMs)
  t.ok((sample.headersMs ?? Infinity) < heldUntilMs)
})

t.test('a refusal is a status of refusals with a reason of the gateway', async t => {
  for (const status of [400, 429, 503]) {
    const { sample } = await callStub(t, response => {
      response.writeHead(status, { 'x-weir-reason': 'queue-full', 'retry-after': '7' })
      response.end('{"error":{"type":"unavailable_error"}}')
    })
    t.match(sample, { outcome: 'refused', reason: 'queue-full', retryAfterSeconds: 7, status, chunks: 0 })
    t.notOk('firstMs' in sample)
  }
})

t.test('other statuses are failures', async t => {
  for (const [status, headers, reason] of [
    [503, {}, 'http 503: unavailable_error'],
    [502, { 'x-weir-reason': 'upstream-lost' }, 'http 502: upstream-lost']
  ] as const) {
    const { sample } = await callStub(t, response => {
      response.writeHead(status, headers)
      response.end('{"error":{"message":"Loading model","type":"unavailable_error"}}')
    })
    t.match(sample, { outcome: 'failed', reason, status })
  }
})

t.test('a 200 that is not a whole answer is a failure', async t => {
  for (const [reason, answer] of [
    ['cut: ended without [DONE]', response => response.end(chunk(' a'))],
    ['error event: server_error', response => response.end(chunk(' a') + 'data: {"error":{"type":"server_error"}}\n\ndata: [DONE]\n\n')],
    ['no content', response => response.end('data: [DONE]\n\n')],
    [/^cut: /, response => { response.write(chunk(' a'), () => response.destroy()) }]
  ] as [string | RegExp, (response: ServerResponse) => void][]) {
    const { sample } = await callStub(t, response => {
      response.writeHead(200, EVENT_STREAM)
      answer(response)
    })
    t.match(sample, { outcome: 'failed', reason, status: 200 })
  }
})

t.test('no server, no status', async t => {
  const stub = await startStubServer(() => {})
  await stub.close()
  const client = openChatClient({ url: stub.url })
  t.teardown(client.close)
  const sample = await client.call(prepared, nowMs(), never)
  t.match(sample, { outcome: 'failed', reason: 'ECONNREFUSED' })
  t.notOk('status' in sample)
})

t.test('at the end of the patience a call is unanswered and its connection is gone', async t => {
  const patience = new AbortController()
  const gone = new Promise<void>(resolve => {
    callStub(t, response => {
      response.on('close', resolve)
      response.writeHead(200, EVENT_STREAM)
      response.write(chunk(' a'), () => patience.abort('drain over'))
    }, patience.signal).then(({ sample }) => {
      t.match(sample, { outcome: 'unanswered', reason: 'drain over' })
      t.ok(sample.doneMs >= sample.sentMs)
    }, t.threw)
  })
  await gone
})

t.test('a call whose patience is over is not sent', async t => {
  const { sample, stub } = await callStub(t, response => response.end(), AbortSignal.abort('stopped'))
  t.match(sample, { outcome: 'unanswered', reason: 'stopped' })
  t.equal(stub.connections.total, 0)
})

t.test('connections: as many as calls under way, kept for later ones', async t => {
  const held: ServerResponse[] = []
  const stub = await startStubServer(response => {
    held.push(response)
    if (held.length % 200 !== 0) return
    for (const each of held.splice(0)) {
      each.writeHead(200, EVENT_STREAM)
      each.end(wholeAnswer(1))
    }
  })
  const client = openChatClient({ url: stub.url })
  t.teardown(async () => {
    await client.close()
    await stub.close()
  })
  for (let round = 0; round < 2; round++) {
    const samples = await Promise.all(Array.from({ length: 200 }, (_, seq) => client.call({ ...prepared, seq }, nowMs(), never)))
    t.ok(samples.every(({ outcome }) => outcome === 'answered'))
    // undici may open one more: it hears of the first free connection late.
    t.ok(stub.connections.total >= 200 && stub.connections.total <= 201)
  }
})

t.test('a call has headers of its own, and its lengths are in the sample', async t => {
  const stub = await startStubServer(response => {
    response.writeHead(200, EVENT_STREAM)
    response.end(wholeAnswer(1))
  })
  const client = openChatClient({ url: stub.url, apiKey: 'usual' })
  t.teardown(async () => {
    await client.close()
    await stub.close()
  })
  const sample = await client.call({ ...prepared, headers: { authorization: 'Bearer own', 'x-slo-ttft-ms': '900' }, promptWords: 7, maxTokens: 3 }, nowMs(), never)
  t.match(sample, { outcome: 'answered', promptWords: 7, maxTokens: 3 })
  t.match(stub.requests[0]?.headers, { authorization: 'Bearer own', 'x-slo-ttft-ms': '900', 'content-type': 'application/json' })
})

t.test('who leaves does so after its headers came, and the connection goes with it', async t => {
  let close: () => void = () => undefined
  const closed = new Promise<void>(resolve => { close = resolve })
  const stub = await startStubServer(response => {
    response.on('close', close)
    response.writeHead(200, EVENT_STREAM)
    response.flushHeaders()
  })
  const client = openChatClient({ url: stub.url })
  t.teardown(async () => {
    await client.close()
    await stub.close()
  })
  const sample = await client.call({ ...prepared, leave: { afterMs: 20 } }, nowMs(), never)
  t.match(sample, { outcome: 'unanswered', reason: 'left', chunks: 0 })
  t.ok(sample.doneMs - (sample.headersMs ?? Infinity) >= 19)
  await closed
})

t.test('or after it was sent, whether headers came or not', async t => {
  const stub = await startStubServer(() => {})
  const client = openChatClient({ url: stub.url })
  t.teardown(async () => {
    await client.close()
    await stub.close()
  })
  const sample = await client.call({ ...prepared, leave: { afterMs: 20, from: 'sent' } }, nowMs(), never)
  t.match(sample, { outcome: 'unanswered', reason: 'left', headersMs: undefined })
  t.ok(sample.doneMs - sample.sentMs >= 19)
})
