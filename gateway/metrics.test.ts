import t from 'tap'
import type { Decision } from '../policies/contract.js'
import { FakeClock } from '../policies/testing.js'
import { Metrics } from './metrics.js'
import { makeRecord } from './testing-record.js'

function decisionOf (more: Partial<Decision> = {}): Decision {
  return { policy: 'admission', verdict: 'pass', reason: 'place free', queueWaitMs: 0, workMs: 0, mode: 'on', facts: {}, steps: [], ...more }
}

function metricsAt (clock = new FakeClock()): Metrics {
  return new Metrics({ inFlight: () => 3, zombiePlaces: () => 2, wastedSeconds: () => 1.5, upstreamReady: () => false, stalledSeconds: () => 9, policies: () => [{ name: 'admission', gauges: { queued: 4 } }] }, clock, { info () {}, warn () {} })
}

async function has (t: { ok (value: unknown, message: string): unknown }, metrics: Metrics, ...lines: string[]): Promise<void> {
  const text = await metrics.registry.metrics()
  for (const line of lines) t.ok(text.includes(`${line}\n`), line)
}

t.test('calls by route, status and outcome; decisions; each counted once, however often it is read', async t => {
  const metrics = metricsAt()
  metrics.add(makeRecord({ decisions: [decisionOf(), decisionOf({ verdict: 'refuse', reason: 'queue-full' })] }))
  metrics.add(makeRecord({ outcome: 'cut', decisions: [decisionOf()] }))
  const lines = [
    'weir_calls_total{route="generation",status="200",outcome="complete"} 1',
    'weir_calls_total{route="generation",status="200",outcome="cut"} 1',
    'weir_decisions_total{policy="admission",verdict="pass",reason="place free",mode="on"} 2',
    'weir_decisions_total{policy="admission",verdict="refuse",reason="queue-full",mode="on"} 1'
  ]
  await has(t, metrics, ...lines)
  await has(t, metrics, ...lines)
  metrics.add(makeRecord())
  await has(t, metrics, 'weir_calls_total{route="generation",status="200",outcome="complete"} 2')
})

t.test('what went past the chain counts as a call of its class', async t => {
  const metrics = metricsAt()
  metrics.addPass({ msg: 'pass', id: 'i', caller: 'c', route: 'free', method: 'GET', path: '/v1/models', status: 200, outcome: 'complete', arrivedAtMs: 0, overAtMs: 1, bytes: 5 })
  await has(t, metrics, 'weir_calls_total{route="free",status="200",outcome="complete"} 1')
  t.notMatch(await metrics.registry.metrics(), /weir_queue_wait_seconds_count\{/)
})

t.test('what was refused waited, but has no duration and no first token', async t => {
  const metrics = metricsAt()
  metrics.add(makeRecord({ outcome: 'refused', status: 429, queueWaitMs: 50, firstByteAtMs: 1 }))
  await has(t, metrics, 'weir_queue_wait_seconds_count{route="generation"} 1')
  t.notMatch(await metrics.registry.metrics(), /weir_request_duration_seconds_count\{|weir_time_to_first_token_seconds_count\{/)
  t.match(metrics.percentiles(), { queueWaitMs: { n: 1 }, durationMs: { n: 0 }, timeToFirstByteMs: { n: 0 } })
})

t.test('times in seconds', async t => {
  const metrics = metricsAt()
  metrics.add(makeRecord({ arrivedAtMs: 100, firstByteAtMs: 350, overAtMs: 2100, queueWaitMs: 30, timings: { prompt_n: 1, prompt_ms: 1, predicted_n: 10, predicted_ms: 200 } }))
  metrics.add(makeRecord({ arrivedAtMs: 100, overAtMs: 2100, timings: { prompt_n: 1, prompt_ms: 1, predicted_n: 0, predicted_ms: 0 } }))
  await has(t, metrics,
    'weir_queue_wait_seconds_sum{route="generation"} 0.03',
    'weir_time_to_first_token_seconds_sum{route="generation"} 0.25',
    'weir_time_to_first_token_seconds_count{route="generation"} 1',
    'weir_request_duration_seconds_sum{route="generation"} 4',
    'weir_time_per_output_token_seconds_sum{route="generation"} 0.02',
    'weir_time_per_output_token_seconds_count{route="generation"} 1')
})

t.test('predictions of the time to first token are held against it, from the arrival at the policy that made them', async t => {
  const metrics = metricsAt()
  const predicted = (predictedTtftMs: number): Decision => decisionOf({ facts: { queueWaitMs: 200, predictedTtftMs, predictedTtftLowMs: 400, predictedTtftHighMs: 500 } })
  const real450 = { arrivedAtMs: 0, admittedAtMs: 230, firstByteAtMs: 480 }
  metrics.add(makeRecord({ ...real450, decisions: [decisionOf({ policy: 'prompt-cap' }), predicted(430)] }))
  metrics.add(makeRecord({ ...real450, firstByteAtMs: 580, decisions: [predicted(430)] }))
  metrics.add(makeRecord({ ...real450, stream: false, decisions: [predicted(430)] }))
  metrics.add(makeRecord({ ...real450, decisions: [decisionOf()] }))
  await has(t, metrics,
    'weir_ttft_prediction_error_seconds_count{route="generation"} 2',
    'weir_ttft_prediction_error_seconds_bucket{le="0.025",route="generation"} 1',
    'weir_ttft_prediction_interval_total{inside="true"} 1',
    'weir_ttft_prediction_interval_total{inside="false"} 1')
})

t.test('predictions of the end of an answer, streamed or not, are held against it; of one that did not come to its end nothing is known', async t => {
  const metrics = metricsAt()
  const predicted = decisionOf({ facts: { queueWaitMs: 200, predictedFinishMs: 1_000 } })
  const real1020 = { admittedAtMs: 230, overAtMs: 1_050, decisions: [predicted] }
  metrics.add(makeRecord(real1020))
  metrics.add(makeRecord({ ...real1020, stream: false }))
  metrics.add(makeRecord({ ...real1020, outcome: 'left' }))
  metrics.add(makeRecord({ ...real1020, status: 400 }))
  metrics.add(makeRecord({ ...real1020, decisions: [decisionOf()] }))
  await has(t, metrics, 'weir_finish_prediction_error_seconds_count{route="generation"} 2', 'weir_finish_prediction_error_seconds_bucket{le="0.025",route="generation"} 2')
})

t.test('the time that streams wait in llama-server\'s own queue', async t => {
  const metrics = metricsAt()
  metrics.add(makeRecord({ admittedAtMs: 0, upstreamHeadersAtMs: 40 }))
  await has(t, metrics, 'weir_hidden_queue_seconds_bucket{le="0.025"} 0', 'weir_hidden_queue_seconds_bucket{le="0.05"} 1')
})

t.test('gauges are read when they are asked for', async t => {
  await has(t, metricsAt(), 'weir_in_flight 3', 'weir_zombie_places 2', 'weir_slot_seconds_wasted 1.5', 'weir_upstream_ready 0', 'weir_upstream_stalled_seconds 9', 'weir_policy_gauge{policy="admission",gauge="queued"} 4')
})

t.test('percentiles are of the last one to two minutes', async t => {
  const clock = new FakeClock()
  const metrics = metricsAt(clock)
  for (let ms = 1; ms <= 100; ms++) metrics.add(makeRecord({ overAtMs: ms }))
  const { durationMs } = metrics.percentiles()
  t.equal(durationMs?.n, 100)
  for (const [name, ms] of [['p50', 50], ['p95', 95], ['p99', 99], ['max', 100]] as const) t.ok(Math.abs(Number(durationMs?.[name]) - ms) <= 1, `${name} ${durationMs?.[name]}`)
  await clock.advance(60_000)
  metrics.add(makeRecord({ overAtMs: 500 }))
  t.equal(metrics.percentiles()['durationMs']?.n, 101)
  await clock.advance(60_000)
  t.equal(metrics.percentiles()['durationMs']?.n, 1)
  metrics.add(makeRecord({ overAtMs: 500 }))
  await clock.advance(120_000)
  t.same(metrics.percentiles()['durationMs'], { n: 0, p50: 0, p95: 0, p99: 0, max: 0 })
})
