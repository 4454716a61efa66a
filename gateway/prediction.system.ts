import t from 'tap'
import { startFakeServer } from '../models/fake/fake-server.js'
import type { CallRecord } from '../policies/contract.js'
import { seededRandom } from '../policies/testing-traffic.js'
import { TurnClock } from './testing-clock.js'
import { startTestGateway } from './testing.js'

const MAX_TOKENS = 512
/** Of the mixed load; about 0.9 of what the fake can do. */
const CALLS = 900
const CALLS_PER_SECOND = 16

function lognormal (random: () => number, median: number, sigma: number, most: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return Math.min(most, Math.max(1, Math.round(median * Math.exp(sigma * normal))))
}

interface Judged { readonly realMs: number, readonly lowMs: number, readonly highMs: number }

/** Calls that an interval was predicted for, in order of arrival. */
function judgedOf (records: readonly CallRecord[]): Judged[] {
  return [...records].sort((a, b) => a.arrivedAtMs - b.arrivedAtMs).flatMap(({ decisions, admittedAtMs, firstByteAtMs }) => {
    const facts = decisions.find(({ policy }) => policy === 'admission')?.facts ?? {}
    const { predictedTtftLowMs: lowMs, predictedTtftHighMs: highMs, queueWaitMs = 0 } = facts
    return lowMs === undefined || highMs === undefined || admittedAtMs === undefined || firstByteAtMs === undefined ? [] : [{ realMs: firstByteAtMs - admittedAtMs + queueWaitMs, lowMs, highMs }]
  })
}

/** Share inside the intervals that were predicted for the call so many places further on; 0: its own. */
function covered (judged: readonly Judged[], shift: number): number {
  const inside = judged.filter(({ realMs }, i) => {
    const { lowMs, highMs } = judged[(i + shift) % judged.length] ?? { lowMs: NaN, highMs: NaN }
    return realMs >= lowMs && realMs <= highMs
  })
  return inside.length / judged.length
}

t.test('the interval predicted for the first token covers 75 to 85 %, with the lengths of answers hidden behind a bound of 512', async t => {
  const random = seededRandom(11)
  // Of llama-server, gateway and clients: on a slow machine it all takes longer, and is the same.
  const clock = new TurnClock()
  // Ten times as fast as the 135M model on one core, so that a minute is enough.
  const fake = await startFakeServer({ clock, prefillMsPerToken: 0.5, decodeMsPerToken: 2.5, promptCache: false, answerTokens: () => lognormal(random, 16, 1, MAX_TOKENS) })
  t.teardown(() => fake.close())
  const gateway = await startTestGateway({ upstream: fake.url, clock, config: { policies: [{ name: 'admission' }] } })
  t.teardown(() => gateway.stop())
  const asked: Promise<unknown>[] = []
  for (let call = 0; call < CALLS; call++) {
    const content = 'the '.repeat(lognormal(random, 40, 1, 1000))
    asked.push(fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content }], max_tokens: MAX_TOKENS, stream: true })
    }).then(async answer => await answer.text()))
    await new Promise<void>(resolve => { clock.setTimeout(resolve, -Math.log(1 - random()) * 1000 / CALLS_PER_SECOND) })
  }
  await Promise.all(asked)
  const judged = judgedOf(gateway.records)
  const [own, others] = [covered(judged, 0), covered(judged, Math.floor(judged.length / 3))]
  const said = `${(100 * own).toFixed(1)} % of ${judged.length}; of the intervals of other calls ${(100 * others).toFixed(1)} %`
  t.comment(said)
  t.ok(judged.length > 600, said)
  t.ok(own >= 0.75 && own <= 0.85, said)
  t.ok(others < own - 0.1, `an interval of the call: ${said}`)
})
