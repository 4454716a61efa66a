import t from 'tap'
import type { Timings } from './contract.js'
import { createChain } from './chain.js'
import { PromptFeeder, type ChunkOver, type Fed } from './prompt-feeder.js'
import { heldUpstream, makeCall, makePort, settle, type HeldUpstream, type TestCall, type TestPort } from './testing.js'
import { Ticket } from './ticket.js'

const prompt = Array.from({ length: 150 }, (_, i) => 100 + i)

interface Scene {
  readonly port: TestPort
  readonly feeder: PromptFeeder
  readonly upstream: HeldUpstream
  /** Feeds the prompt of a new call; `ticket.turn` is the test's to grant. */
  start (): { readonly ticket: Ticket, readonly call: TestCall, readonly chunks: ChunkOver[], readonly fed: Promise<Fed> }
}

function scene (): Scene {
  const port = makePort()
  const upstream = heldUpstream()
  const feeder = new PromptFeeder(port)
  return {
    port,
    feeder,
    upstream,
    start () {
      const call = makeCall()
      const chunks: ChunkOver[] = []
      const ticket = new Ticket('1', call, passed => upstream.handler(passed), 0, () => undefined)
      const fed = feeder.feed(ticket, prompt, 3, chunk => chunks.push(chunk))
      fed.catch(() => undefined)
      return { ticket, call, chunks, fed }
    }
  }
}

function timings (cached: number, evaluated: number): { readonly timings: Timings } {
  return { timings: { cache_n: cached, prompt_n: evaluated, prompt_ms: evaluated * 6, predicted_n: 1, predicted_ms: 0 } }
}

t.test('a prompt goes as growing prefixes into one slot, each when its turn has come; the call itself is left to go', async t => {
  const { feeder, upstream, start } = scene()
  const { ticket, call, chunks, fed } = start()
  await settle()
  t.equal(upstream.calls.length, 0, 'not before its turn')
  for (const [to, cached] of [[64, 10], [128, 64]] as const) {
    ticket.turn.grant({ type: 'chunk', id: '1', toTokens: to, pausedMs: 0, last: false })
    await settle()
    const sent = upstream.calls.at(-1)?.call
    t.match(sent, { id: call.id, path: '/completion', stream: false, chunk: true, need: { places: 1, maxTokens: 0 } })
    t.same(sent?.body.json, { prompt: prompt.slice(0, to), n_predict: 0, cache_prompt: true, id_slot: 3, stream: false, response_fields: ['timings'] })
    upstream.calls.at(-1)?.complete(timings(cached, to - cached))
    await settle()
  }
  ticket.turn.grant({ type: 'chunk', id: '1', toTokens: 150, pausedMs: 70, last: true })
  t.same(await fed, { chunks: 2, fedTokens: 128, evaluatedTokens: 54 + 64, pausedMs: 70, missed: false })
  t.same(chunks, [{ evaluatedTokens: 54, tookMs: 324 }, { evaluatedTokens: 64, tookMs: 384 }])
  t.equal(upstream.calls.length, 2)
  t.match(feeder.gauges, { chunks: 2, fedCalls: 1, missedCalls: 0, prefillOff: 0 })
})

t.test('who leaves between two chunks is gone at once; during one, when it is over: nothing of it runs at upstream then', async t => {
  const { upstream, start } = scene()
  const between = start()
  await settle()
  between.call.leave()
  await t.rejects(between.fed, /client left/)
  t.equal(upstream.calls.length, 0)

  const during = start()
  during.ticket.turn.grant({ type: 'chunk', id: '1', toTokens: 64, pausedMs: 0, last: false })
  await settle()
  const [chunk] = upstream.calls
  during.call.leave()
  let settled = false
  during.fed.catch(() => { settled = true })
  await settle()
  t.notOk(chunk?.call.signal.aborted, 'nobody breaks it off')
  t.notOk(settled)
  chunk?.answer()
  chunk?.end(timings(0, 64))
  await settle()
  t.notOk(settled, 'upstream has not let go')
  chunk?.release()
  await t.rejects(during.fed, /client left/)
  t.equal(upstream.active, 0)
})

t.test('what upstream does not find in its cache again ends the feeding; twice in a row switches it off for this model, and says so', async t => {
  const { port, feeder, upstream, start } = scene()
  async function missed (): Promise<Fed> {
    const { ticket, fed } = start()
    for (const to of [64, 128]) {
      ticket.turn.grant({ type: 'chunk', id: '1', toTokens: to, pausedMs: 0, last: false })
      await settle()
      upstream.calls.at(-1)?.complete(timings(0, to))
      await settle()
    }
    return await fed
  }
  async function found (cachedAtLast: number): Promise<void> {
    const { ticket, call, fed } = start()
    ticket.turn.grant({ type: 'chunk', id: '1', toTokens: 64, pausedMs: 0, last: false })
    await settle()
    upstream.calls.at(-1)?.complete(timings(0, 64))
    await settle()
    ticket.turn.grant({ type: 'chunk', id: '1', toTokens: 150, pausedMs: 0, last: true })
    feeder.check(call, await fed, cachedAtLast)
  }
  const fed = await missed()
  t.match(fed, { chunks: 2, fedTokens: 64, missed: true })
  feeder.check(makeCall(), fed, 0)
  await found(64)
  feeder.check(makeCall(), await missed(), 0)
  t.same(await feeder.promptOf(makeCall(), 64), { tokens: [1, 2, 3] }, 'one may have lost them to a full KV pool')
  t.equal(port.warnings.length, 0)
  await found(63)
  t.match(port.warnings, [{ facts: { fedTokens: 64, cachedTokens: 63 }, message: /does not find the chunks/ }])
  t.same(await feeder.promptOf(makeCall(), 64), { whole: 'switched off' })
  t.match(feeder.gauges, { missedCalls: 3, prefillOff: 1 })
  port.props = { totalSlots: 4, slotContextTokens: 2_048, modelPath: '/models/other.gguf', buildInfo: 'b1' }
  t.same(await feeder.promptOf(makeCall(), 64), { tokens: [1, 2, 3] }, 'another model is another try')
  t.equal(feeder.gauges['prefillOff'], 0)
})

t.test('a chunk that upstream fails on as it would on the call is the call’s answer; one that it does not understand is a miss', async t => {
  const { upstream, start } = scene()
  for (const [status, expected] of [[503, { missed: false, answer: { status: 503 } }], [400, { missed: true }]] as const) {
    const { ticket, fed } = start()
    ticket.turn.grant({ type: 'chunk', id: '1', toTokens: 64, pausedMs: 0, last: false })
    await settle()
    const chunk = upstream.calls.at(-1)
    chunk?.answer(status)
    chunk?.end()
    chunk?.release()
    t.match(await fed, expected, String(status))
  }
})

t.test('tokens: of the prompt as upstream sees it, or why it goes whole', async t => {
  const { port, feeder } = scene()
  t.same(await feeder.promptOf(makeCall({}, { messages: [], n: 2 }), 64), { whole: 'several prompts' })
  const shadow = makeCall({ shadow: true })
  port.promptTokens = prompt
  t.same(await feeder.promptOf(shadow, 64), { whole: 'shadow mode', wouldTakeChunks: 3 })
  t.equal(shadow.need.promptTokens, 150)
  port.promptTokens = new Error('no answer')
  t.same(await feeder.promptOf(makeCall(), 64), { whole: 'not tokenized' })
  t.match(port.warnings, [{ message: /did not tokenize/ }])
  const left = makeCall()
  left.leave()
  await t.rejects(feeder.promptOf(left, 64), /client left/)
})

t.test('chunks are steps of one decision, and leave no decision of their own', async t => {
  const { port, feeder, upstream } = scene()
  const call = makeCall()
  const chain = createChain([{
    name: 'admission',
    run: async (call, next) => {
      const ticket = new Ticket('1', call, next, 0, () => undefined, { tokens: prompt })
      ticket.start = { type: 'start', id: '1', places: 1, slot: 3, feeds: true, queueWaitMs: 0, predictedWaitMs: 0, predictedTtftMs: 0, predictedFinishMs: 0 }
      ticket.turn.grant({ type: 'chunk', id: '1', toTokens: 64, pausedMs: 0, last: false })
      const feeding = feeder.feed(ticket, prompt, 3, () => {
        ticket.turn.grant({ type: 'chunk', id: '1', toTokens: 150, pausedMs: 0, last: true })
      })
      await feeding
      return await next(call, 'rest of the prompt')
    }
  }, { name: 'inner', run: (call, next) => next(call, 'inner') }], upstream.handler, port.clock)
  const answered = chain(call)
  await settle()
  upstream.calls[0]?.complete(timings(0, 64))
  await settle()
  upstream.calls[1]?.complete()
  await answered
  t.match(call.decisions.map(({ policy, reason, steps }) => [policy, reason, steps.map(step => step.reason)]), [
    ['admission', 'place free, prompt in chunks', ['place free, prompt in chunks', 'rest of the prompt']],
    ['inner', 'inner', ['inner']]
  ])
})
