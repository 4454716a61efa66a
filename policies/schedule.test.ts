import t from 'tap'
import { Schedule, type ScheduleOptions } from './schedule.js'
import type { Effect } from './schedule-events.js'

/** Effects in short: `start a`, `refuse b queue-full`. */
function short (effects: readonly Effect[]): string[] {
  return effects.map(effect => effect.type === 'refuse' ? `refuse ${effect.id} ${effect.status} ${effect.reason}` : `${effect.type} ${effect.id}`)
}

function setUp (options: Partial<ScheduleOptions> = {}) {
  const schedule = new Schedule({ places: 2, maxWaitMs: 30_000, maxQueued: 1_000, ...options })
  return {
    schedule,
    arrive: (id: string, atMs = 0, places = 1) => short(schedule.on({ type: 'arrive', id, places, atMs, sinceMs: atMs })),
    release: (id: string, atMs = 0) => short(schedule.on({ type: 'released', id, atMs })),
    leave: (id: string, atMs = 0) => short(schedule.on({ type: 'leave', id, atMs })),
    tick: (atMs: number) => short(schedule.on({ type: 'tick', atMs })),
    /** A server that was seen saturated with this interval between releases. */
    saturate: (intervalMs: number, firstByteMs = 0) => {
      for (let call = 0; call < 60; call++) {
        schedule.on({ type: 'arrive', id: `w${call}`, places: 1, atMs: call * intervalMs, sinceMs: call * intervalMs })
        if (call < schedule.places - 1) continue
        const atMs = (call + 1) * intervalMs
        const id = `w${call - schedule.places + 1}`
        if (firstByteMs > 0) schedule.on({ type: 'firstByte', id, firstByteAtMs: (call - schedule.places + 1) * intervalMs + firstByteMs, atMs })
        schedule.on({ type: 'released', id, atMs })
      }
      return 60 * intervalMs
    }
  }
}

t.test('calls start while there are places, then wait in order', async t => {
  const { schedule, arrive, release } = setUp()
  t.same(arrive('a'), ['start a'])
  t.same(arrive('b'), ['start b'])
  t.same(arrive('c'), [])
  t.same(arrive('d'), [])
  t.equal(schedule.queued, 2)
  t.same(release('b'), ['start c'])
  t.same(release('a'), ['start d'])
  t.equal(schedule.taken, 2)
})

t.test('a wide call needs its places at once and blocks those behind it', async t => {
  const { arrive, release, schedule } = setUp({ places: 4 })
  for (const id of ['a', 'b', 'c']) arrive(id)
  t.same(arrive('wide', 0, 3), [])
  t.same(arrive('late'), [], 'a free place does not help those behind the head')
  t.same(release('a'), [])
  t.same(release('b'), ['start wide'])
  t.equal(schedule.taken, 4)
  t.same(release('wide'), ['start late'])
})

t.test('more places than there are means all of them', async t => {
  const { arrive, schedule, release } = setUp()
  t.same(arrive('wide', 0, 99), ['start wide'])
  t.equal(schedule.taken, 2)
  t.same(arrive('a'), [])
  t.same(release('wide'), ['start a'])
  t.equal(schedule.taken, 1)
})

t.test('who leaves the line lets those behind it move up; who runs keeps its places until released', async t => {
  const { arrive, leave, release, schedule } = setUp()
  arrive('a')
  arrive('wide', 0, 2)
  arrive('b')
  t.same(leave('wide'), ['start b'])
  t.same(leave('a'), [])
  t.equal(schedule.taken, 2)
  t.same(release('a'), [])
  t.equal(schedule.taken, 1)
  t.same(release('a'), [], 'a second release gives nothing back')
  t.equal(schedule.taken, 1)
})

t.test('a call that waited maxWaitMs is refused by a tick', async t => {
  const { arrive, tick } = setUp({ places: 1, maxWaitMs: 100 })
  arrive('a')
  arrive('b', 10)
  arrive('c', 20)
  t.same(tick(109), [])
  t.same(tick(110), ['refuse b 503 queue-timeout'])
  t.same(tick(500), ['refuse c 503 queue-timeout'])
})

t.test('an expired wide head lets others start', async t => {
  const { arrive, tick } = setUp({ maxWaitMs: 100 })
  arrive('a')
  arrive('wide', 0, 2)
  arrive('b', 50)
  t.same(tick(100), ['refuse wide 503 queue-timeout', 'start b'])
})

t.test('draining refuses all that wait and all that come', async t => {
  const { schedule, arrive, release } = setUp({ places: 1 })
  arrive('a')
  arrive('b')
  t.same(short(schedule.on({ type: 'drain', atMs: 0 })), ['refuse b 503 draining'])
  t.same(arrive('c'), ['refuse c 503 draining'])
  t.same(release('a'), [])
})

t.test('more places start what waits; fewer wait for releases', async t => {
  const { schedule, arrive, release } = setUp({ places: 1 })
  for (const id of ['a', 'b', 'c', 'd']) arrive(id)
  t.same(short(schedule.on({ type: 'resize', places: 3, atMs: 0 })), ['start b', 'start c'])
  t.same(short(schedule.on({ type: 'resize', places: 1, atMs: 0 })), [])
  t.same([...release('a'), ...release('b')], [])
  t.same(release('c'), ['start d'])
})

t.test('maxQueued bounds the line whatever is predicted', async t => {
  const { arrive } = setUp({ places: 1, maxQueued: 1 })
  arrive('a')
  arrive('b')
  t.same(arrive('c'), ['refuse c 429 queue-full'])
  t.same(setUp({ places: 1, maxQueued: 0 }).arrive('a'), ['start a'], 'a bound of 0 still serves who need not wait')
})

t.test('before anything was measured the line is modest', async t => {
  const { arrive, schedule } = setUp({ places: 2 })
  for (let call = 0; call < 40; call++) arrive(`c${call}`)
  t.equal(schedule.queued, 16)
  t.equal(schedule.predictedWaitMs, 0, 'no number is invented')
})

t.test('the interval between releases is measured under saturation only', async t => {
  const { schedule, saturate } = setUp({ places: 2 })
  const atMs = saturate(250)
  const measured = schedule.releaseIntervalMs ?? NaN
  t.ok(Math.abs(measured - 250) < 1, `${measured}`)
  schedule.on({ type: 'released', id: 'w59', atMs: atMs + 100 })
  schedule.on({ type: 'tick', atMs: atMs + 100_000 })
  t.ok((schedule.releaseIntervalMs ?? NaN) < 260, 'an hour of idling is not slowness')
})

t.test('an overdue release raises the interval before it comes', async t => {
  const { schedule, arrive, saturate } = setUp({ places: 2 })
  const atMs = saturate(100)
  arrive('x', atMs)
  arrive('y', atMs)
  arrive('z', atMs)
  schedule.on({ type: 'tick', atMs: atMs + 5_000 })
  t.ok((schedule.releaseIntervalMs ?? NaN) > 400, `${schedule.releaseIntervalMs}`)
})

t.test('a predicted wait above maxWaitMs is refused at arrival, with the time until it fits', async t => {
  const { schedule, arrive, saturate } = setUp({ places: 2, maxWaitMs: 3_000 })
  const atMs = saturate(1_000)
  t.same(arrive('s', atMs), ['start s'], 'w59 and s hold both places')
  t.same([...arrive('a', atMs), ...arrive('b', atMs), ...arrive('c', atMs)], [], 'up to 3 releases ahead fit into 3 s')
  const [refused] = schedule.on({ type: 'arrive', id: 'wide', places: 2, atMs, sinceMs: atMs })
  t.match(refused, { type: 'refuse', status: 429, reason: 'queue-full' })
  t.ok(refused?.type === 'refuse' && Math.abs(refused.predictedWaitMs - 5_000) < 5)
  t.ok(refused?.type === 'refuse' && Math.abs(refused.retryAfterMs - 2_000) < 5, '5 s ahead, 3 s allowed')
})

t.test('Retry-After is at most two minutes, at least a second, and until one place comes back', async t => {
  const retryAfterOf = (intervalMs: number): number => {
    const { schedule, arrive, saturate } = setUp({ places: 2, maxWaitMs: 1_000_000, maxQueued: 3 })
    const atMs = saturate(intervalMs)
    for (const id of ['s', 'a', 'b', 'c']) arrive(id, atMs)
    const [effect] = schedule.on({ type: 'arrive', id: 'd', places: 1, atMs, sinceMs: atMs })
    t.match(effect, { type: 'refuse', reason: 'queue-full' })
    return effect?.type === 'refuse' ? Math.round(effect.retryAfterMs) : NaN
  }
  t.equal(retryAfterOf(500_000), 120_000)
  t.equal(retryAfterOf(7_000), 7_000)
  t.equal(retryAfterOf(10), 1_000)
})

t.test('a call that cannot have its first token in time is refused at arrival', async t => {
  const { arrive, saturate } = setUp({ places: 2, ttftLimitMs: 1_000 })
  const atMs = saturate(250, 400)
  arrive('s', atMs)
  t.same(arrive('a', atMs), [], 'one release (250) + first byte (400) + margin fit into 1,000')
  t.same(arrive('b', atMs), [], 'two releases do as well')
  t.same(arrive('c', atMs), ['refuse c 429 deadline'], 'three do not')
})

t.test('a call that became hopeless in the line is refused instead of started', async t => {
  const { arrive, release, saturate } = setUp({ places: 2, ttftLimitMs: 1_000 })
  const atMs = saturate(250, 400)
  arrive('s', atMs)
  t.same(arrive('a', atMs), [])
  t.same(release('s', atMs + 700), ['refuse a 503 deadline'])
})

t.test('an idle server gets every call, however slow it was', async t => {
  const { schedule, arrive, saturate } = setUp({ places: 2, ttftLimitMs: 1_000 })
  const atMs = saturate(5_000, 5_000)
  t.same(arrive('beside', atMs), ['refuse beside 429 deadline'])
  schedule.on({ type: 'released', id: 'w59', atMs })
  t.same(arrive('alone', atMs), ['start alone'])
})
