import t from 'tap'
import type { Evidence } from '../../types.js'
import { simulateFactor, type Seen, type Source } from '../testing-factors.js'
import { all, claim, legs, needsEveryPrediction } from './testing.js'

/** A call of the decoder takes 3.2 ms, and 2.2 ms more for each further client. */
const callMs = (clients: number): number => 3.2 + 2.2 * (clients - 1)

function simulated (change: (id: string, clients: number) => Partial<Seen> = () => ({}), without?: Source): Evidence {
  return simulateFactor({
    experiment: 'concurrency',
    calibration: [{ model: 'small', threads: 1, tokensPerSecond: 290, ttftMs: 22, gapMs: 3.2, prompt: { tokens: 9, ms: 18 }, cpusUsed: 1 }],
    seen: ({ id }, { clients }) => {
      const seen: Seen = id === 'one-slot'
        ? { ttftMs: 7 * (22 + 63 * 3.2), gapMs: 3.2, promptTokens: 9, tokensPerDecode: 0.98, grown: { cpuUsec: 8 * 3 * 64 * 3200 } }
        : { ttftMs: 22 * clients, gapMs: callMs(clients), promptTokens: 9, tokensPerDecode: 0.97 * clients }
      return { ...seen, ...change(id, clients) }
    },
    ...(without === undefined ? {} : { without })
  })
}

t.test('calls of the decoder are shared, and with one slot they are not: supported', async t => {
  const found = claim(simulated())
  t.same(legs(found), all, JSON.stringify(found, null, 1))
  t.equal(found.status, 'SUPPORTED')
})

t.test('sabotage: the same labels, but one slot for all', async t => {
  const found = claim(simulated(() => ({ gapMs: 3.2, tokensPerDecode: 1 })))
  t.match(legs(found), { application: 'fails', mechanism: 'fails' })
  t.equal(found.status, 'UNSUPPORTED')
})

t.test('sabotage: gaps grow, but no call is shared: the clients only take turns', async t => {
  t.same(legs(claim(simulated(id => id.startsWith('c') ? { tokensPerDecode: 1 } : {}))), { ...all, mechanism: 'fails' })
})

t.test('sabotage: idle CPUs were there', async t => {
  t.same(legs(claim(simulated(id => id === 'c1' ? { cpusUsed: 0.5 } : {}))), { ...all, os: 'fails' })
})

t.test('sabotage: with one slot the gaps are as long: it was not the sharing', async t => {
  t.same(legs(claim(simulated(id => id === 'one-slot' ? { gapMs: callMs(8) } : {}))), { ...all, control: 'fails' })
  t.same(legs(claim(simulated(id => id === 'one-slot' ? { ttftMs: 100 } : {}))), { ...all, control: 'fails' }, 'nor did they wait for the slot')
  t.same(legs(claim(simulated(id => id === 'one-slot' ? { stealShare: 0.3 } : {}))), { ...all, control: 'fails' })
})

t.test('a machine that is a third faster or slower than in its calibration moves nothing', async t => {
  for (const pace of [0.7, 1.4]) {
    t.same(legs(claim(simulated((id, clients) => id === 'one-slot'
      ? { ttftMs: pace * 7 * (22 + 63 * 3.2), gapMs: pace * 3.2, grown: { cpuUsec: pace * 8 * 3 * 64 * 3200 } }
      : { ttftMs: pace * 22 * clients, gapMs: pace * callMs(clients) }))), all)
  }
})

/** Everything of two clients' blocks and of their server takes half as long again. */
const slowerBeside = (yardstick: (slow: boolean) => Partial<Seen>) => simulated((id, clients) => {
  const slow = id === 'c2' ? 1.5 : 1
  return id === 'one-slot' ? yardstick(false) : { ttftMs: slow * 22 * clients, gapMs: slow * callMs(clients), ...yardstick(slow > 1) }
})

t.test('a machine that was slower in all blocks of a condition, and only there, moves nothing where the yardstick saw it', async t => {
  const found = claim(slowerBeside(slow => ({ yardstickMs: slow ? 4.5 : 3 })))
  t.same(legs(found), all, JSON.stringify(found, null, 1))
  t.match(found.application.source, /at the pace of each block \(yardstick\)/)
  t.same(found.application.figures[0]?.compared?.map(ms => Math.round(ms * 10) / 10), [3.2, 8.1], 'what the load generator saw is told as it was')
})

t.test('sabotage: the same blocks without a yardstick, with one that saw no change, and with a reading for some of them only', async t => {
  const bare = claim(slowerBeside(() => ({})))
  t.match(legs(bare), { application: 'fails', os: 'fails' })
  t.notMatch(bare.application.source, /yardstick/)
  t.match(legs(claim(slowerBeside(() => ({ yardstickMs: 3 })))), { application: 'fails', os: 'fails' })
  t.match(legs(claim(slowerBeside(slow => slow ? { yardstickMs: 4.5 } : {}))), { application: 'missing', os: 'missing' })
})

t.test('each leg needs its source and its predictions', async t => {
  t.same(legs(claim(simulated(undefined, 'process'))), { ...all, os: 'missing', control: 'missing' })
  t.same(legs(claim(simulated(undefined, 'metrics'))), { ...all, mechanism: 'missing', control: 'missing' })
  needsEveryPrediction(t, simulated())
})
