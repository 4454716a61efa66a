import type { CallSample, WorkloadClass } from '../types.js'
import { nowMs } from '../clock.js'
import { ENOUGH } from './capacity.js'
import { askedBy, loadCall } from './call-body.js'
import type { ChatClient } from './client.js'
import { drawnLengths } from './lengths.js'
import { startPatience } from './patience.js'
import { deriveSeed } from './random.js'
import { waitUntil } from './wait.js'

export interface ClosedLoopOptions {
  readonly client: ChatClient
  readonly phase: CallSample['phase']
  /** Calls under way at any time. */
  readonly clients: number
  /** Class of the n-th call. */
  readonly nextClass: () => WorkloadClass
  /** Prompts are drawn from it and the call's number. */
  readonly seed: number
  /**
   * Clients go on making calls until the first so many are over and it is at least `notBeforeMs` (monotonic milliseconds); what is still under way then is
   * given up: every one of those first calls has run beside as many others as there are clients, from its start to its end.
   */
  readonly enough?: { readonly calls: number, readonly notBeforeMs: number }
  /** No call is started from then on (monotonic milliseconds). Default: no bound. */
  readonly untilMs?: number
  /** Calls under way then become `unanswered` (monotonic milliseconds). */
  readonly drainUntilMs: number
  /** Most calls in all. Default: no bound. */
  readonly maxCalls?: number
  /** Number of the first call. Default 0. */
  readonly firstSeq?: number
  readonly onSend?: () => void
  readonly onSample: (sample: CallSample) => void
  /** As in the open loop. */
  readonly signal: AbortSignal
}

/** After a failure a client waits this long: a dead server must not be asked in a tight loop. */
const PAUSE_AFTER_FAILURE_MS = 100

/** Each client starts its next call when its last one ended (intended = sent). What is under way when `maxCalls` are started is let finish. */
export async function runClosedLoop (options: ClosedLoopOptions): Promise<void> {
  const { client, phase, clients, nextClass, seed, enough, untilMs = Infinity, drainUntilMs, maxCalls = Infinity, firstSeq = 0, onSample, signal } = options
  const patience = startPatience(drainUntilMs, signal)

  let started = 0
  let left = enough?.calls ?? Infinity
  async function loop (): Promise<void> {
    while (started < maxCalls && nowMs() < untilMs && !patience.signal.aborted) {
      const seq = firstSeq + started++
      const cls = nextClass()
      const promptSeed = deriveSeed(seed, seq)
      const prepared = phase === 'load'
        ? loadCall(seq, promptSeed, cls)
        : { phase, seq, cls: cls.name, ...askedBy(cls, promptSeed), ...drawnLengths(cls, promptSeed), ...(cls.headers === undefined ? {} : { headers: cls.headers }) }
      const answer = client.call(prepared, nowMs(), patience.signal)
      options.onSend?.()
      const sample = await answer
      onSample(sample)
      if (enough !== undefined && seq < firstSeq + enough.calls) left--
      if (left <= 0 && nowMs() >= (enough?.notBeforeMs ?? 0)) patience.end(ENOUGH)
      else if (sample.outcome !== 'answered') await waitUntil(nowMs() + PAUSE_AFTER_FAILURE_MS, { spin: false, signal: patience.signal })
    }
  }
  await Promise.all(Array.from({ length: clients }, loop))
  await patience.close()
}
