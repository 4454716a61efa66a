import type { CallSample, Retry, WorkloadClass } from '../types.js'
import { loadCall } from './call-body.js'
import type { ChatClient, PreparedCall } from './client.js'
import { startPatience } from './patience.js'
import { withRetries } from './retries.js'
import type { TraceEntry } from './trace.js'
import { waitUntil } from './wait.js'

/** Who spins before each of such calls leaves none of its CPU to the gateway that works on them, and is late itself when that gets its turn. */
const CROWDED_MS = 5

export interface OpenLoopOptions {
  readonly client: ChatClient
  readonly trace: readonly TraceEntry[]
  readonly classes: readonly WorkloadClass[]
  /** Monotonic milliseconds of the trace's zero. A send whose time is past goes out at once and keeps its intended time. */
  readonly startAtMs: number
  /** Monotonic milliseconds: what is not answered then is `unanswered` (right-censored) with this as `doneMs`, give or take. */
  readonly drainUntilMs: number
  /** See `waitUntil`; a call less than 5 ms after another one is never spun for. Default true. */
  readonly spin?: boolean
  /** What refused clients do; default: they do not come back. */
  readonly retry?: Retry
  readonly onSend?: () => void
  readonly onSample: (sample: CallSample) => void
  /** Stops sending and waiting: calls under way become `unanswered` with reason `stopped`, the rest of the trace is not sent. */
  readonly signal: AbortSignal
}

/**
 * Sends each call at its intended time or after, never before, and whatever became of the calls before it.
 * Resolves when every call that was sent has its sample.
 */
export async function runOpenLoop (options: OpenLoopOptions): Promise<void> {
  const { client, trace, startAtMs, drainUntilMs, spin = true, retry, onSample, signal } = options
  const patience = startPatience(drainUntilMs, signal)

  const underWay: Promise<void>[] = []
  try {
    let lastMs = -Infinity
    for (const entry of trace) {
      const intendedMs = startAtMs + entry.atMs
      const prepared = prepare(entry, options.classes)
      if (!await waitUntil(intendedMs, { spin: spin && intendedMs - lastMs >= CROWDED_MS, signal })) break
      lastMs = intendedMs
      underWay.push(withRetries(client, prepared, intendedMs, retry, patience.signal).then(onSample))
      options.onSend?.()
    }
    await Promise.all(underWay)
  } finally {
    await patience.close()
  }
}

function prepare (entry: TraceEntry, classes: readonly WorkloadClass[]): PreparedCall {
  const cls = classes.find(({ name }) => name === entry.cls)
  if (cls === undefined) throw new Error(`trace entry ${entry.seq}: no class is named '${entry.cls}'; there are ${classes.map(({ name }) => name).join(', ')}`)
  return loadCall(entry.seq, entry.promptSeed, cls)
}
