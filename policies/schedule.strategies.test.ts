import t from 'tap'
import { Schedule, type ScheduleOptions } from './schedule.js'
import type { Ask, Effect } from './schedule-events.js'

function short (effects: readonly Effect[]): string[] {
  return effects.map(effect => effect.type === 'refuse' ? `refuse ${effect.id} ${effect.status} ${effect.reason}` : `${effect.type} ${effect.id}`)
}

/** 10 ms a prompt token and 10 ms a generated one, at any company: what `calls` of 92 + 8 and 50 tokens taught. */
function setUp (options: Partial<ScheduleOptions> = {}, taught = 0) {
  const schedule = new Schedule({ places: 1, maxWaitMs: 30_000, maxQueued: 1_000, ...options })
  const arrive = (id: string, atMs: number, ask: Partial<Ask> = {}, places = 1): string[] =>
    short(schedule.on({ type: 'arrive', id, places, atMs, sinceMs: atMs, ask: { caller: id[0] ?? '', weight: 1, priority: 1, bodyBytes: 400, promptTokens: 92, maxTokens: 50, ...ask } }))
  const firstByte = (id: string, firstByteAtMs: number): string[] => short(schedule.on({ type: 'firstByte', id, firstByteAtMs, atMs: firstByteAtMs }))
  const release = (id: string, atMs: number, tokens: { readonly evaluated: number, readonly output: number } | undefined = { evaluated: 92, output: 50 }): string[] =>
    short(schedule.on({ type: 'released', id, atMs, account: { evaluatedTokens: tokens.evaluated, cachedTokens: 0, outputTokens: tokens.output } }))
  let nowMs = 0
  for (let call = 0; call < taught; call++) {
    const ids = Array.from({ length: schedule.places }, (_, place) => `t${call}-${place}`)
    for (const id of ids) arrive(id, nowMs)
    for (const id of ids) firstByte(id, nowMs + 1_000)
    for (const id of ids) release(id, nowMs + 1_500)
    nowMs += 1_500
  }
  return { schedule, arrive, firstByte, release, nowMs, started: (id: string, atMs: number, ask: Partial<Ask> = {}) => schedule.on({ type: 'arrive', id, places: 1, atMs, sinceMs: atMs, ask: { caller: id[0] ?? '', weight: 1, priority: 1, bodyBytes: 400, promptTokens: 92, maxTokens: 50, ...ask } }).find(effect => effect.id === id) }
}

t.test('priority: the better class goes first, whoever came before', async t => {
  const { arrive, release } = setUp({ priority: true })
  arrive('running', 0)
  arrive('usual', 1)
  arrive('urgent', 2, { priority: 0 })
  t.same(release('running', 10), ['start urgent'])
  t.same(release('urgent', 20), ['start usual'])
})

t.test('a caller with all its own places taken is predicted to wait for them, whatever is free', async t => {
  const { arrive, nowMs } = setUp({ places: 4 }, 8)
  t.same(arrive('b1', nowMs, { maxPlaces: 1 }), ['start b1'])
  t.same(arrive('b2', nowMs, { maxPlaces: 1, ttftLimitMs: 1_200 }), ['refuse b2 429 deadline'], 'its turn comes in 1,500 ms; with a place free for everybody else it would have been in time')
  t.same(arrive('c1', nowMs, { ttftLimitMs: 1_200 }), ['start c1'], 'another caller takes that place')
})

t.test('fair: a caller with many calls takes turns with one that has few', async t => {
  const { arrive, release } = setUp({ fair: true })
  for (const id of ['h1', 'h2', 'h3', 'h4']) arrive(id, 0)
  for (const id of ['l1', 'l2']) arrive(id, 1)
  const order: string[] = []
  let [next = ''] = release('h1', 10)
  while (next !== '') {
    const id = next.replace('start ', '')
    order.push(id)
    next = release(id, 20)[0] ?? ''
  }
  t.same(order, ['l1', 'h2', 'l2', 'h3', 'h4'], 'what was served in the last ten seconds counts, and then they alternate')
})

t.test('fair charges what was really generated', async t => {
  for (const [output, next] of [[50, 'a2'], [1, 'b2']] as const) {
    const { arrive, release } = setUp({ fair: true })
    for (const id of ['a1', 'b1', 'a2', 'b2']) arrive(id, 0)
    t.same(release('a1', 10, { evaluated: 92, output: 20 }), ['start b1'])
    t.same(release('b1', 20, { evaluated: 92, output }), [`start ${next}`], `b generated ${output} of the 50 tokens that it was charged at its start`)
  }
})

t.test('shortest prompt first, and a long one is not starved', async t => {
  const { arrive, release } = setUp({ order: 'shortest-prefill', agingMs: 100 })
  arrive('running', 0)
  arrive('long', 1, { promptTokens: 1_500 })
  arrive('short', 2, { promptTokens: 10 })
  t.same(release('running', 10), ['start short'])
  arrive('short2', 50, { promptTokens: 10 })
  t.same(release('short', 101), ['start long'])
})

t.test('a caller with all its places taken waits without keeping others from theirs', async t => {
  const { arrive, release } = setUp({ places: 3 })
  t.same(arrive('a1', 0, { maxPlaces: 1 }), ['start a1'])
  t.same(arrive('a2', 0, { maxPlaces: 1 }), [])
  t.same(arrive('b1', 0), ['start b1'])
  t.same(release('b1', 10), [])
  t.same(release('a1', 20), ['start a2'])
  t.same(arrive('w1', 30, { maxPlaces: 1 }, 2), ['start w1'], 'wider than its bound: when it holds nothing')
})

t.test('a longer call is predicted to take longer, and so are those behind it', async t => {
  const { schedule, arrive, nowMs, started } = setUp({ places: 1 }, 20)
  const alone = started('first', nowMs)
  t.equal(alone?.type === 'start' && Math.round(alone.predictedTtftMs), 1_000)
  t.equal(Math.round(schedule.predictedWaitMs), 1_500)
  arrive('second', nowMs, { promptTokens: 192 })
  t.equal(Math.round(schedule.predictedWaitMs), 1_500 + 2_000 + 500)
})

t.test('predictions carry the interval that four in five fall into', async t => {
  const { nowMs, started } = setUp({ places: 1 }, 30)
  const effect = started('x', nowMs)
  if (effect?.type !== 'start') return t.fail('it starts')
  const { predictedTtftLowMs = NaN, predictedTtftHighMs = NaN } = effect
  t.ok(Math.abs(predictedTtftLowMs - 1_000) < 5 && Math.abs(predictedTtftHighMs - 1_000) < 5, `${predictedTtftLowMs} to ${predictedTtftHighMs}`)
})

t.test('a call with limits of its own is refused at once when it would miss them, and others are not', async t => {
  const { arrive, nowMs } = setUp({ places: 1 }, 20)
  arrive('running', nowMs)
  t.same(arrive('hurried', nowMs, { ttftLimitMs: 2_000 }), ['refuse hurried 429 deadline'], 'its first byte is due in 1,500 + 1,000 ms')
  t.same(arrive('late', nowMs, { finishLimitMs: 2_900 }), ['refuse late 429 deadline'], 'it would end after 3,000 ms')
  t.same(arrive('patient', nowMs, { ttftLimitMs: 3_500, finishLimitMs: 4_000 }), [])
  t.same(arrive('free', nowMs), [])
})

t.test('what has become impossible while it waited is dropped when its turn comes, and at its limit before that', async t => {
  const { schedule, arrive, release, nowMs } = setUp({ places: 2 }, 20)
  arrive('a', nowMs)
  arrive('b', nowMs)
  arrive('waits', nowMs, { finishLimitMs: 3_200 })
  t.same(release('a', nowMs + 2_000), ['refuse waits 503 deadline'], '1,500 ms more are too many')
  t.equal(schedule.patienceMs({ finishLimitMs: 3_200 }), 3_200)
  arrive('c', nowMs + 2_000)
  arrive('waits2', nowMs + 2_000, { ttftLimitMs: 2_900 })
  t.same(short(schedule.on({ type: 'tick', atMs: nowMs + 4_899 })), [])
  t.same(short(schedule.on({ type: 'tick', atMs: nowMs + 4_900 })), ['refuse waits2 503 deadline'])
})

t.test('the shared pool bounds who runs', async t => {
  const { arrive, release } = setUp({ places: 4, kvTokens: 300 })
  t.same(arrive('a', 0), ['start a'])
  t.same(arrive('b', 0), ['start b'])
  t.same(arrive('c', 0), [], '3 × 142 tokens do not fit into 300')
  t.same(release('a', 10), ['start c'])
})

t.test('one prompt in prefill at a time; the next starts with the first byte', async t => {
  const { arrive, firstByte } = setUp({ places: 4, prefillTokens: 100 })
  t.same(arrive('a', 0), ['start a'])
  t.same(arrive('b', 0), [])
  t.same(firstByte('a', 500), ['start b'])
  t.same(firstByte('a', 600), [], 'told twice')
})

t.test('a client that left lets go sooner than its call would have ended', async t => {
  const { schedule, arrive, firstByte, nowMs } = setUp({ places: 1 }, 20)
  arrive('gone', nowMs)
  t.equal(Math.round(schedule.predictedWaitMs), 1_500)
  schedule.on({ type: 'leave', id: 'gone', atMs: nowMs })
  t.equal(Math.round(schedule.predictedWaitMs), 1_000, 'its prefill is not broken off')
  firstByte('gone', nowMs + 1_000)
  t.equal(schedule.taken, 1, 'and its place is taken until upstream says so')
})

t.test('costs outlive the schedule', async t => {
  const { schedule } = setUp({ places: 1 }, 20)
  const next = new Schedule({ places: 1, maxWaitMs: 30_000, maxQueued: 9 })
  next.restore(JSON.parse(JSON.stringify(schedule.costs)), 0)
  const [effect] = next.on({ type: 'arrive', id: 'x', places: 1, atMs: 0, sinceMs: 0, ask: { caller: 'x', weight: 1, priority: 1, bodyBytes: 400, promptTokens: 92, maxTokens: 50 } })
  t.equal(effect?.type === 'start' && Math.round(effect.predictedTtftMs), 1_000)
})

t.test('calls that start one after the other and share their prefill do not make one that starts alone look slow', async t => {
  // As seen on a real server: four start within 0.4 s and have their first byte together, after 1.4 s; later ones, alone, need 0.2 s.
  const { schedule, arrive, firstByte, release } = setUp({ places: 4, ttftLimitMs: 1_600 })
  const starts = [0, 100, 200, 380]
  for (const [index, atMs] of starts.entries()) arrive(`batch${index}`, atMs)
  for (const index of starts.keys()) firstByte(`batch${index}`, 1_400)
  for (const index of starts.keys()) release(`batch${index}`, 1_900)
  t.same(arrive('first', 2_000), ['start first'])
  t.same(arrive('beside', 2_150), ['start beside'], 'what four do to each other says nothing of two')
  t.equal(schedule.taken, 2)
})

/** Of 4 places those that are held, and before that eight long calls in time and twelve short ones that never were. */
function longAhead (held: readonly string[], options: Partial<ScheduleOptions> = {}) {
  const made = setUp({ places: 4, balance: true, ...options })
  const { arrive, firstByte, release } = made
  const run = (id: string, atMs: number, ask: Partial<Ask>, tookMs: number): void => {
    arrive(id, atMs, ask)
    firstByte(id, atMs + tookMs)
    release(id, atMs + tookMs)
  }
  for (let call = 0; call < 12; call++) run(`s${call}`, call, { promptTokens: 20, ttftLimitMs: 100 }, 200)
  for (let call = 0; call < 8; call++) run(`l${call}`, 300 + call, { promptTokens: 300 }, 1)
  for (const id of held) arrive(id, 900)
  return { ...made, run }
}

t.test('balance: a length that is ahead is refused where it would wait with less than two places free', async t => {
  t.same(longAhead(['a', 'b', 'c', 'd']).arrive('l', 1_000, { promptTokens: 300 }), ['refuse l 429 balance'])
  t.same(longAhead(['a', 'b', 'c']).arrive('l', 1_000, { promptTokens: 300 }), ['start l'], 'a place that stays empty is of no use to the length behind')
  for (const [held, effects] of [[['a', 'b', 'c'], ['refuse l 429 balance']], [['a', 'b'], []]] as const) {
    const { arrive, firstByte } = longAhead([], { prefillTokens: 300 })
    for (const [index, id] of held.entries()) {
      arrive(id, 900 + 2 * index)
      if (index < held.length - 1) firstByte(id, 901 + 2 * index)
    }
    t.same(arrive('l', 1_000, { promptTokens: 300 }), effects, `${held.length} places taken, and the prefill lane: it waits for that`)
  }
})

t.test('balance: the length behind is never refused for it, and once it had its part neither is the other', async t => {
  const { arrive, release, run } = longAhead(['a', 'b', 'c', 'd'])
  t.same(arrive('s', 1_000, { promptTokens: 20 }), [], 'it waits')
  release('d', 1_001)
  release('s', 1_002)
  for (let call = 0; call < 40; call++) run(`r${call}`, 1_010 + call, { promptTokens: 20, ttftLimitMs: 100 }, 1)
  arrive('d', 1_100)
  t.same(arrive('l', 1_101, { promptTokens: 300 }), [], 'it waits')
})

t.test('balance: a call that comes when it was told to is not refused again, a newcomer of its length is', async t => {
  const { arrive, started } = longAhead(['a', 'b', 'c', 'd'])
  const long = { promptTokens: 300, identity: () => 'long' }
  const told = started('l', 1_000, long)
  if (told?.type !== 'refuse') return t.fail('it is refused')
  t.equal(told.reason, 'balance')
  const dueMs = 1_010 + told.retryAfterMs
  t.same(arrive('n', dueMs, { promptTokens: 300 }), ['refuse n 429 balance'])
  t.same(arrive('l', dueMs, long), [], 'it waits')
})
