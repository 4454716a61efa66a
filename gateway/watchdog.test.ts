import t from 'tap'
import { FakeClock } from '../policies/testing.js'
import { Watchdog } from './watchdog.js'

/** @param answers what `/metrics` and `/slots` say; undefined: they do not answer */
function watching (answers: { metrics?: string | undefined, slots?: string | undefined }, stallMs = 400) {
  const clock = new FakeClock()
  const said: string[] = []
  const asked: string[] = []
  const state = { running: 0 }
  const reader = {
    async read (path: '/metrics' | '/slots') {
      asked.push(path)
      const body = path === '/metrics' ? answers.metrics : answers.slots
      if (body === undefined) throw new Error('no answer')
      return { status: body === '' ? 501 : 200, contentType: '', body, askedAtMs: clock.nowMs(), atMs: clock.nowMs() }
    }
  }
  const log = { info: (_facts: object, message: string) => { said.push(message) }, warn: (_facts: object, message: string) => { said.push(message) } }
  const watchdog = new Watchdog({ clock, reader, log, running: () => state.running, stallMs })
  return { clock, said, asked, watchdog, state, send () { state.running++; watchdog.sent() } }
}

t.test('bytes of answers are progress: nothing is asked', async t => {
  const { clock, watchdog, send, asked, said } = watching({})
  send()
  for (let turn = 0; turn < 20; turn++) {
    await clock.advance(50)
    watchdog.progress()
  }
  t.same([asked, said, watchdog.stalledMs], [[], [], undefined])
})

t.test('without bytes, batches are: a long prefill is no stall', async t => {
  const answers = { metrics: '' }
  const { clock, watchdog, send, said } = watching(answers)
  send()
  for (let batch = 1; batch <= 20; batch++) {
    answers.metrics = `llamacpp:n_decode_total ${batch}\n`
    await clock.advance(100)
  }
  t.same([said, watchdog.stalledMs], [[], undefined])
})

t.test('neither: stalled, said once; and again at work when something moves', async t => {
  for (const answers of [{ metrics: 'llamacpp:n_decode_total 7\n' }, {}, { metrics: '', slots: '[{"id":0,"is_processing":true}]' }]) {
    const { clock, watchdog, send, said } = watching(answers)
    send()
    await clock.advance(390)
    t.equal(watchdog.stalledMs, undefined, 'not yet')
    await clock.advance(1_000)
    t.ok((watchdog.stalledMs ?? 0) > 1_000, JSON.stringify(answers))
    t.equal(said.length, 1)
    t.match(said[0], /shows no progress/)
    await clock.advance(10)
    watchdog.progress()
    t.equal(watchdog.stalledMs, undefined, 'at once')
    await clock.advance(100)
    t.match(said[1], /works again/)
  }
})

t.test('slots that move are progress where there are no metrics', async t => {
  const answers = { metrics: '', slots: '' }
  const { clock, watchdog, send, said } = watching(answers)
  send()
  for (let tokens = 1; tokens <= 20; tokens++) {
    answers.slots = `[{"id":0,"n_decoded":${tokens}}]`
    await clock.advance(100)
  }
  t.same([said, watchdog.stalledMs], [[], undefined])
})

t.test('a server with nothing to do is not stalled, however long, and is not asked', async t => {
  const { clock, watchdog, send, state, asked, said } = watching({})
  send()
  state.running = 0
  await clock.advance(10_000)
  t.same([asked, said, watchdog.stalledMs, clock.timers], [[], [], undefined, 0])
  send()
  await clock.advance(390)
  t.equal(watchdog.stalledMs, undefined, 'the time without work does not count')
  await clock.advance(100)
  t.ok(watchdog.stalledMs)
  state.running = 0
  await clock.advance(100)
  t.equal(watchdog.stalledMs, undefined, 'the calls were broken off')
})

t.test('ended with the gateway', async t => {
  const { clock, watchdog, send } = watching({})
  send()
  watchdog.close()
  t.equal(clock.timers, 0)
})
