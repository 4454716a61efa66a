import t from 'tap'
import { createChain } from './chain.js'
import type { Answer, Call } from './contract.js'
import { responseCache } from './response-cache.js'
import { singleFlight } from './single-flight.js'
import { makeBody, makeCall, makePort } from './testing.js'
import { drawFrom, drawMeaning, hashOf, near, write, type Meant, type Written } from './testing-bodies.js'

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

    const earlier: Meant[] = []
    for (let done = 0; done < cases / 2;) {
      const meant = Array.from({ length: 1 + draw(4) }, () => {
        const before = earlier.at(-1 - draw(40))
        const now = before === undefined || draw(6) === 0 ? drawMeaning(draw) : draw(3) === 0 ? near(before, draw) : before
        earlier.push(now)
        return now
      })
      // Now and then the same twice at one time, in other words.
      meant.push(...meant.slice(0, draw(3) === 0 ? 1 : 0))
      await Promise.all(meant.map(body => ask(write(body, draw), draw(3) === 0 ? 'b' : 'a', paths[draw(9)] ?? '/v1/chat/completions')))
      done += meant.length
    }
    t.same(wrong.slice(0, 3), [], `${wrong.length} wrong answers, shared among ${sharedAmong}`)
    const { hits = 0, bypassed = 0 } = cache.gauges()
    const { followed = 0 } = flights.gauges()
    t.comment(`${sharedAmong}: ${hits} hits, ${followed} followed, ${bypassed} passed, ${upstreamCalls} upstream`)
    t.ok(hits > 500, `${hits} of them came from the cache: it was put to the test`)
    t.ok(followed > 20, `${followed} came while another one was under way`)
    t.ok(bypassed > 500)
  }
})

t.test('the generator can tell: many bodies are written in several ways, and hardly two mean the same by chance', async t => {
  const draw = drawFrom(3)
  const bodies = Array.from({ length: 500 }, () => drawMeaning(draw))
  t.ok(new Set(bodies.map(({ meaning }) => meaning)).size > 400)
  t.ok(bodies.every(body => new Set(Array.from({ length: 10 }, () => write(body, draw).bytes.toString())).size > 3))
})
