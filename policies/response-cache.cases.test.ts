import t from 'tap'
import { createChain } from './chain.js'
import type { Answer, Call } from './contract.js'
import { responseCache } from './response-cache.js'
import { singleFlight } from './single-flight.js'
import { makeBody, makeCall, makePort } from './testing.js'
import { drawBody, drawFrom, hashOf, type Written } from './testing-bodies.js'

const cases = 10_000
const paths = ['/v1/chat/completions', '/v1/completions', '/v1/messages']

/**
 * Ten thousand bodies, written in all ways, of two callers, one after the other and several at once, in front of a server that answers with the hash of what it was
 * asked and of who asked. What it was asked is what the generator drew, not what a canonical form makes of the bytes: a form that takes two for one gives a wrong hash.
 * What is drawn gets another answer each time, so one that is given twice is wrong, too.
 */
t.test('no wrong answer in ten thousand', async t => {
  for (const [sharedAmong, seed] of [['caller', 1], ['all', 2]] as const) {
    const port = makePort()
    const asked = new WeakMap<Buffer, { readonly written: Written, readonly call: Call }>()
    const draw = drawFrom(seed)
    let upstreamCalls = 0
    const upstream = async (call: Call): Promise<Answer> => {
      const { written } = asked.get(call.body.bytes) ?? t.fail('other bytes than the client sent') as never
      const number = ++upstreamCalls
      if (draw(3) === 0) await new Promise(resolve => setImmediate(resolve))
      const body = Buffer.from(`${answerTo(written, call)} ${number}`)
      return { status: 200, headers: {}, body, over: Promise.resolve({ how: 'complete', bytes: body.length }), released: Promise.resolve() }
    }
    const cache = responseCache.create({ sharedAmong }, port)
    const flights = singleFlight.create({ sharedAmong }, port)
    const chain = createChain([{ name: 'response-cache', run: cache.run }, { name: 'single-flight', run: flights.run }], upstream, port.clock)
    const given = new Map<string, string>()
    const wrong: string[] = []
    const answerTo = (written: Written, call: Call): string => hashOf(JSON.stringify([written.meaning, sharedAmong === 'caller' ? call.caller : '', call.path]))

    async function ask (written: Written, caller: string, path: string): Promise<void> {
      const json = JSON.parse(written.bytes.toString()) as Record<string, unknown>
      const call = makeCall({ caller, path, body: { bytes: written.bytes, json, withJson: makeBody } }, json)
      asked.set(written.bytes, { written, call })
      const { body, headers } = await chain(call)
      const [hash = '', number = ''] = String(body).split(' ')
      const cached = String(headers['x-weir-cache'])
      const repeated = given.get(number)
      if (hash !== answerTo(written, call)) wrong.push(`${cached}: ${written.bytes.toString()}`)
      // On /v1/messages nothing but the temperature counts.
      const hasOne = path === '/v1/messages' ? Number(json['temperature'] ?? 1) <= 0 : written.deterministic
      if (repeated !== undefined && !hasOne) wrong.push(`given twice, ${cached}: ${written.bytes.toString()}`)
      given.set(number, hash)
    }

    for (let done = 0; done < cases / 2;) {
      const written = Array.from({ length: 1 + draw(4) }, () => drawBody(draw))
      await Promise.all(written.map(body => ask(body, draw(2) === 0 ? 'a' : 'b', paths[draw(4)] ?? '/v1/chat/completions')))
      done += written.length
    }
    t.same(wrong.slice(0, 3), [], `${wrong.length} wrong answers, shared among ${sharedAmong}`)
    const { hits = 0, bypassed = 0 } = cache.gauges()
    const { followed = 0 } = flights.gauges()
    t.comment(`${sharedAmong}: ${hits} hits, ${followed} followed, ${bypassed} passed, ${upstreamCalls} upstream`)
    t.ok(hits > 500, `${hits} of them came from the cache: it was put to the test`)
    t.ok(bypassed > 500)
  }
})

t.test('the generator can tell: the same draws in another notation mean the same, and next to none of them are alike', async t => {
  const byMeaning = new Map<string, Set<string>>()
  const draw = drawFrom(3)
  for (let index = 0; index < 5_000; index++) {
    const { meaning, bytes } = drawBody(draw)
    const texts = byMeaning.get(meaning) ?? new Set()
    byMeaning.set(meaning, texts.add(bytes.toString()))
  }
  t.ok([...byMeaning.values()].filter(texts => texts.size > 1).length > 200, 'many are written in several ways')
  t.ok(byMeaning.size > 1_000)
})
