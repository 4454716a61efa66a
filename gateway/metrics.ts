import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { CallRecord, Clock, PassRecord, PolicyLogger } from '../policies/contract.js'
import { HiddenQueue } from './hidden-queue.js'
import { Latency } from './latency.js'
import type { Percentiles } from './latency.js'

/** From a cached answer to a prefill on a small CPU: 10 ms to 30 min, seconds. */
const bucketsSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800]

export interface Gauges {
  readonly inFlight: () => number
  readonly zombiePlaces: () => number
  readonly wastedSeconds: () => number
  readonly upstreamReady: () => boolean
  readonly stalledSeconds: () => number
  /** By policy name. */
  readonly policies: () => ReadonlyArray<{ readonly name: string, readonly gauges: Readonly<Record<string, number>> }>
}

/** Prometheus metrics and live percentiles, both derived from the records alone. */
export class Metrics {
  readonly registry = new Registry()
  readonly #calls: Counter<'route' | 'status' | 'outcome'>
  readonly #decisions: Counter<'policy' | 'verdict' | 'reason' | 'mode'>
  readonly #queueWait: Histogram<'route'>
  readonly #firstByte: Histogram<'route'>
  readonly #perToken: Histogram<'route'>
  readonly #predictionError: Histogram<'route'>
  readonly #predictionInside: Counter<'inside'>
  readonly #finishError: Histogram<'route'>
  readonly #duration: Histogram<'route'>
  readonly #hiddenQueue: HiddenQueue
  /** Counts since the last scrape, by their labels: prom-client hashes labels at each `inc`. */
  readonly #newCalls = new Tally<'route' | 'status' | 'outcome'>()
  readonly #newDecisions = new Tally<'policy' | 'verdict' | 'reason' | 'mode'>()
  readonly #live: Readonly<Record<'queueWaitMs' | 'timeToFirstByteMs' | 'durationMs', Latency>>

  /** @param log where the self-check of admission warns */
  constructor (gauges: Gauges, clock: Clock, log: PolicyLogger) {
    const registers = [this.registry]
    this.#calls = new Counter({ name: 'weir_calls_total', help: 'Calls by class of route, status sent and how they ended', labelNames: ['route', 'status', 'outcome'], registers, collect: () => { this.#newCalls.moveTo(this.#calls) } })
    this.#decisions = new Counter({ name: 'weir_decisions_total', help: 'Decisions of policies', labelNames: ['policy', 'verdict', 'reason', 'mode'], registers, collect: () => { this.#newDecisions.moveTo(this.#decisions) } })
    const histogram = (name: string, help: string): Histogram<'route'> => new Histogram({ name, help, labelNames: ['route'], buckets: bucketsSeconds, registers })
    this.#queueWait = histogram('weir_queue_wait_seconds', 'Time that calls waited for a place')
    this.#firstByte = histogram('weir_time_to_first_token_seconds', 'From arrival to the first byte of the answer\'s body')
    this.#perToken = new Histogram({ name: 'weir_time_per_output_token_seconds', help: 'Decode time per token by llama-server\'s own timings', labelNames: ['route'], buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5], registers })
    this.#predictionError = histogram('weir_ttft_prediction_error_seconds', 'How far the predicted time to first token was from the real one, either way')
    this.#predictionInside = new Counter({ name: 'weir_ttft_prediction_interval_total', help: 'Answers whose time to first token was inside the interval predicted for four in five, and outside', labelNames: ['inside'], registers })
    this.#finishError = histogram('weir_finish_prediction_error_seconds', 'How far the predicted time to the end of an answer was from the real one, either way')
    const hidden = new Histogram({ name: 'weir_hidden_queue_seconds', help: 'From sending a stream to llama-server to its headers: time in llama-server\'s own queue, near 0 where admission counts right', buckets: bucketsSeconds, registers })
    this.#hiddenQueue = new HiddenQueue(log, waitMs => { hidden.observe(waitMs / 1e3) })
    this.#duration = histogram('weir_request_duration_seconds', 'From arrival to the end of the answer')
    gaugeOf('weir_in_flight', 'Calls between arrival and end', gauges.inFlight, registers)
    gaugeOf('weir_zombie_places', 'Places of llama-server kept by calls that nobody waits for', gauges.zombiePlaces, registers)
    gaugeOf('weir_slot_seconds_wasted', 'Place-seconds that calls kept after nobody waited for them, since the start', gauges.wastedSeconds, registers)
    gaugeOf('weir_upstream_ready', '1 while llama-server answers', () => gauges.upstreamReady() ? 1 : 0, registers)
    gaugeOf('weir_upstream_stalled_seconds', 'For how long llama-server has had calls and shown no progress; 0 while it works', gauges.stalledSeconds, registers)
    policyGauge(gauges, registers)
    this.#live = { queueWaitMs: new Latency(clock), timeToFirstByteMs: new Latency(clock), durationMs: new Latency(clock) }
  }

  add (record: CallRecord): void {
    const { route, outcome } = record
    const status = String(record.status)
    this.#newCalls.add(`${route} ${status} ${outcome}`, () => ({ route, status, outcome }))
    for (const { policy, verdict, reason, mode } of record.decisions) {
      this.#newDecisions.add(`${policy} ${verdict} ${mode} ${reason}`, () => ({ policy, verdict, reason, mode }))
    }
    this.#queueWait.observe({ route }, record.queueWaitMs / 1e3)
    this.#live.queueWaitMs.record(record.queueWaitMs)
    if (record.outcome === 'refused') return
    const durationMs = record.overAtMs - record.arrivedAtMs
    this.#duration.observe({ route }, durationMs / 1e3)
    this.#live.durationMs.record(durationMs)
    this.#hiddenQueue.add(record)
    this.#judgeFinish(record)
    if (record.firstByteAtMs !== undefined) {
      this.#firstByte.observe({ route }, (record.firstByteAtMs - record.arrivedAtMs) / 1e3)
      this.#live.timeToFirstByteMs.record(record.firstByteAtMs - record.arrivedAtMs)
      this.#judgePrediction(record, record.firstByteAtMs)
    }
    const { timings } = record
    if (timings !== undefined && timings.predicted_n > 0) this.#perToken.observe({ route }, timings.predicted_ms / timings.predicted_n / 1e3)
  }

  /** What went past the chain counts among the calls of its class, and nowhere else: nothing was decided about it. */
  addPass ({ route, status, outcome }: PassRecord): void {
    this.#newCalls.add(`${route} ${status} ${outcome}`, () => ({ route, status: String(status), outcome }))
  }

  /** Predictions count from the call's arrival at the policy that made them. */
  #judgePrediction ({ decisions, route, admittedAtMs, stream }: CallRecord, firstByteAtMs: number): void {
    const facts = decisions.find(({ mode, facts }) => mode === 'on' && facts['predictedTtftMs'] !== undefined)?.facts
    // The body of an answer that is not streamed begins at its end.
    if (facts === undefined || admittedAtMs === undefined || !stream) return
    const { predictedTtftMs = 0, predictedTtftLowMs, predictedTtftHighMs, queueWaitMs = 0 } = facts
    const realMs = firstByteAtMs - admittedAtMs + queueWaitMs
    this.#predictionError.observe({ route }, Math.abs(realMs - predictedTtftMs) / 1e3)
    if (predictedTtftLowMs === undefined || predictedTtftHighMs === undefined) return
    this.#predictionInside.inc({ inside: String(realMs >= predictedTtftLowMs && realMs <= predictedTtftHighMs) })
  }

  #judgeFinish ({ decisions, route, outcome, status, admittedAtMs, overAtMs }: CallRecord): void {
    const facts = decisions.find(({ mode, facts }) => mode === 'on' && (facts['predictedFinishMs'] ?? 0) > 0)?.facts
    if (facts === undefined || admittedAtMs === undefined || outcome !== 'complete' || status !== 200) return
    const { predictedFinishMs = 0, queueWaitMs = 0 } = facts
    this.#finishError.observe({ route }, Math.abs(overAtMs - admittedAtMs + queueWaitMs - predictedFinishMs) / 1e3)
  }

  percentiles (): Readonly<Record<string, Percentiles>> {
    return Object.fromEntries(Object.entries(this.#live).map(([name, latency]) => [name, latency.percentiles()]))
  }
}

/** Counts by a key that stands for a set of labels, until they are moved to a counter. */
class Tally<L extends string> {
  readonly #counts = new Map<string, { readonly labels: Record<L, string>, n: number }>()

  add (key: string, labels: () => Record<L, string>): void {
    const counted = this.#counts.get(key)
    if (counted === undefined) this.#counts.set(key, { labels: labels(), n: 1 })
    else counted.n++
  }

  moveTo (counter: Counter<L>): void {
    for (const counted of this.#counts.values()) counter.inc(counted.labels, counted.n)
    this.#counts.clear()
  }
}

function gaugeOf (name: string, help: string, read: () => number, registers: Registry[]): Gauge {
  return new Gauge({ name, help, registers, collect () { this.set(read()) } })
}

function policyGauge (gauges: Gauges, registers: Registry[]): Gauge<'policy' | 'gauge'> {
  return new Gauge({
    name: 'weir_policy_gauge',
    help: 'Gauges of the policies: queued, running, places …',
    labelNames: ['policy', 'gauge'],
    registers,
    collect () {
      for (const policy of gauges.policies()) {
        for (const [gauge, value] of Object.entries(policy.gauges)) this.set({ policy: policy.name, gauge }, value)
      }
    }
  })
}
