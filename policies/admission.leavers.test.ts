import t from 'tap'
import { admission } from './admission.js'
import { createChain } from './chain.js'
import { heldUpstream, makeCall, makePort, settle, type HeldCall } from './testing.js'
import { seededRandom } from './testing-traffic.js'

const PLACES = 4
const CLIENTS = 1_000

/** What a client or upstream does next to one running call, by chance. */
function act (held: HeldCall, random: () => number): void {
  const dice = random()
  if (dice < 0.3) held.answer()
  else if (dice < 0.45) held.end()
  else if (dice < 0.75) held.complete()
  else if (dice < 0.85) held.release()
  else if (dice < 0.92) held.fail('reset', { unreleased: random() < 0.5 })
}

for (const seed of [1, 2]) {
  t.test(`1,000 clients that leave when they like leave nothing behind (seed ${seed})`, async t => {
    const random = seededRandom(seed)
    const port = makePort()
    const upstream = heldUpstream()
    const policy = admission.create({ slots: PLACES, maxWaitMs: 5_000, maxQueued: 100 }, port)
    let mostPlaces = 0
    const chain = createChain([{ name: 'admission', run: policy.run }], call => {
      if (call.signal.aborted) t.fail('a call whose client had left reached upstream')
      const answer = upstream.handler(call)
      mostPlaces = Math.max(mostPlaces, upstream.activePlaces)
      return answer
    }, port.clock)
    const ends = new Set<string>()
    const endings: Record<string, number> = {}
    const clients = Array.from({ length: CLIENTS }, () => makeCall({ need: { maxTokens: 1, places: random() < 0.1 ? 2 : 1 } }))
    const open = new Set<typeof clients[number]>()
    const ended = (id: string, ending: string): void => {
      if (ends.has(id)) t.fail(`${id} ended twice`)
      ends.add(id)
      endings[ending] = (endings[ending] ?? 0) + 1
    }
    for (const call of clients) {
      open.add(call)
      chain(call).then(
        answer => ended(call.id, answer.reason ?? 'answered'),
        () => ended(call.id, call.signal.aborted ? 'left' : 'fault'))
      for (const other of open) {
        if (random() < 0.02) {
          other.leave()
          open.delete(other)
        }
      }
      for (const held of upstream.calls.slice(-40)) if (random() < 0.4) act(held, random)
      if (random() < 0.5) await Promise.resolve()
      if (random() < 0.3) await settle()
      if (random() < 0.05) await port.clock.advance(random() * 1_000)
      const { taken = NaN } = policy.gauges()
      if (taken > PLACES) t.fail(`${taken} places taken of ${PLACES}`)
    }
    for (let round = 0; round < CLIENTS && ends.size < CLIENTS; round++) {
      for (const held of upstream.calls) held.complete()
      await settle()
    }
    for (const held of upstream.calls) held.complete()
    await port.clock.advance(60_000)

    t.equal(ends.size, CLIENTS, `every client got an end: ${JSON.stringify(endings)}`)
    t.match(policy.gauges(), { taken: 0, queued: 0 })
    t.equal(mostPlaces, PLACES, 'upstream was full, and never more than that')
    t.equal(upstream.active, 0)
    t.equal(port.clock.timers, 0)
    t.ok(['left', 'answered', 'fault'].every(ending => (endings[ending] ?? 0) > 0), 'all kinds of ends were met')
  })
}
