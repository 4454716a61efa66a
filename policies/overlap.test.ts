import t from 'tap'
import { admission } from './admission.js'
import { createChain } from './chain.js'
import type { Policy } from './contract.js'
import { Schedule, type ScheduleOptions } from './schedule.js'
import type { Effect } from './schedule-events.js'
import { setUp } from './testing-admission.js'
import { heldUpstream, makeCall, makePort, settle } from './testing.js'

function started (effects: readonly Effect[]): string[] {
  return effects.map(effect => effect.type === 'start' ? `${effect.id} ${effect.overlaps ?? 0}` : effect.type)
}

function scheduleOf (options: Partial<ScheduleOptions> = {}) {
  const schedule = new Schedule({ places: 2, maxWaitMs: 30_000, maxQueued: 1_000, ...options })
  return {
    schedule,
    arrive: (id: string, atMs = 0, places = 1) => started(schedule.on({ type: 'arrive', id, places, atMs, sinceMs: atMs })),
    lastToken: (id: string, atMs = 0) => started(schedule.on({ type: 'lastToken', id, atMs })),
    release: (id: string, atMs = 0) => started(schedule.on({ type: 'released', id, atMs }))
  }
}

t.test('the next call starts at the last token of one that runs, and the end of that one lets nobody in again', async t => {
  const { schedule, arrive, lastToken, release } = scheduleOf()
  for (const id of ['a', 'b', 'c', 'd']) arrive(id)
  t.same(lastToken('a', 10), ['c 1'])
  t.same([schedule.taken, schedule.mostAtUpstream, schedule.queued], [2, 3, 1])
  t.same(lastToken('a', 11), [], 'told twice')
  t.same(release('a', 20), [])
  t.same([schedule.taken, schedule.mostAtUpstream], [2, 2])
  t.same(release('b', 30), ['d 0'], 'an answer that ended sooner than it might have')
  t.same([release('c', 40), release('d', 41), lastToken('d', 42)], [[], [], []])
  t.same([schedule.taken, schedule.mostAtUpstream], [0, 2])
})

t.test('who comes during a last token starts at once, with a wait of 0 predicted', async t => {
  const { schedule, arrive, lastToken, release } = scheduleOf()
  arrive('a')
  release('a', 1_000)
  arrive('b', 1_000)
  arrive('c', 1_000)
  t.ok(schedule.predictedWaitMs > 0)
  t.same(lastToken('b', 1_900), [])
  t.equal(schedule.predictedWaitMs, 0)
  t.same(arrive('d', 1_910), ['d 1'])
})

t.test('behind it others wait for those that go on, not for the one that ends', async t => {
  const waitOf = (ends: boolean): number => {
    const { schedule, arrive, lastToken, release } = scheduleOf({ places: 1 })
    arrive('a')
    release('a', 1_000)
    arrive('b', 1_000)
    if (ends) lastToken('b', 1_900)
    arrive('c', 1_900)
    return schedule.predictedWaitMs
  }
  t.equal(waitOf(true), 1_000, 'for the one that took its place')
  t.ok(waitOf(false) > 1_050, 'for both')
})

t.test('a wide call hands all its places over; a caller with a bound may go on with its own', async t => {
  const wide = scheduleOf()
  wide.arrive('wide', 0, 2)
  wide.arrive('a')
  wide.arrive('b')
  t.same(wide.lastToken('wide', 10), ['a 1', 'b 2'])

  const { schedule } = scheduleOf()
  const ask = { caller: 'one', weight: 1, priority: 0, bodyBytes: 0, maxTokens: 8, maxPlaces: 1 }
  for (const id of ['x', 'y']) schedule.on({ type: 'arrive', id, places: 1, atMs: 0, sinceMs: 0, ask })
  t.same(started(schedule.on({ type: 'lastToken', id: 'x', atMs: 5 })), ['y 0'], 'the other place was free all the time')
})

t.test('admission sends the next call at a last token, and its record says so', async t => {
  const { send, upstream, upstreamCall, policy, port } = setUp({ slots: 2 })
  const calls = [send(), send(), send(), send()]
  await settle()
  t.equal(upstream.calls.length, 2)
  upstreamCall(0).call.progress?.lastToken?.(port.clock.nowMs())
  await settle()
  t.equal(upstream.calls.length, 3)
  t.match(calls[2]?.call.decisions, [{ reason: 'place free', facts: { overlaps: 1 } }])
  t.match(policy.gauges(), { places: 2, taken: 2, queued: 1 })
  upstreamCall(0).complete()
  await settle()
  t.equal(upstream.calls.length, 3, 'its place has been given on')
  upstreamCall(1).complete()
  await settle()
  t.equal(upstream.calls.length, 4)
  t.notOk('overlaps' in (calls[3]?.call.decisions[0]?.facts ?? {}))
  upstreamCall(2).complete()
  upstreamCall(3).complete()
  await settle()
  t.match(policy.gauges(), { taken: 0, queued: 0 })
})

t.test('where a client leaves at the last token nobody is let in for it twice', async t => {
  const { send, upstream, upstreamCall, port } = setUp({ slots: 1 })
  const leaver = send()
  for (let call = 0; call < 3; call++) send()
  await settle()
  upstreamCall(0).call.progress?.lastToken?.(port.clock.nowMs())
  leaver.call.leave()
  upstreamCall(0).answer()
  upstreamCall(0).end({ how: 'left' })
  await settle()
  t.equal(upstream.calls.length, 2)
  upstreamCall(0).release()
  await settle()
  t.equal(upstream.calls.length, 2)
  upstreamCall(1).complete()
  await settle()
  t.equal(upstream.calls.length, 3)
  t.equal(upstream.active, 1)
})

t.test('nobody asks for last tokens where it is off, Weir names the slots, or there is no stream', async t => {
  const asked = async (options: object, stream = true): Promise<boolean> => {
    const { send, port, upstreamCall } = setUp({ slots: 1, ...options })
    port.slots = [{ id: 0, busy: false }]
    send(makeCall({ stream }))
    await port.clock.advance(1)
    const told = upstreamCall(0).call.progress?.lastToken !== undefined
    upstreamCall(0).complete()
    return told
  }
  t.equal(await asked({}), true)
  t.equal(await asked({ overlap: false }), false)
  t.equal(await asked({ slotChoice: 'by-length' }), false)
  t.equal(await asked({}, false), false)
})

t.test('a shadow further in takes nobody\'s last token away', async t => {
  const port = makePort()
  const upstream = heldUpstream()
  const inner: Policy = async (call, next) => await next(call, 'as it is')
  const chain = createChain([{ name: 'admission', run: admission.create({ slots: 1 }, port).run }, { name: 'p', run: inner, mode: 'shadow' }], upstream.handler, port.clock)
  for (let call = 0; call < 2; call++) chain(makeCall()).catch(() => undefined)
  await settle()
  upstream.calls[0]?.call.progress?.lastToken?.(port.clock.nowMs())
  await settle()
  t.equal(upstream.calls.length, 2)
  for (const held of upstream.calls) held.complete()
})

t.test('in the shadow the next call is let in at the last token, too, when that came', async t => {
  const port = makePort()
  const upstream = heldUpstream()
  const chain = createChain([{ name: 'p', run: admission.create({ slots: 1 }, port).run, mode: 'shadow' }], upstream.handler, port.clock)
  const [first, second] = [makeCall(), makeCall()]
  for (const call of [first, second]) chain(call).catch(() => undefined)
  await settle()
  upstream.calls[0]?.answer()
  await port.clock.advance(900)
  upstream.calls[0]?.call.progress?.lastToken?.(port.clock.nowMs())
  await port.clock.advance(100)
  upstream.calls[0]?.end()
  upstream.calls[0]?.release()
  upstream.calls[1]?.complete()
  await settle()
  t.match(second.decisions, [{ verdict: 'pass', queueWaitMs: 900, facts: { overlaps: 1 } }])
})
