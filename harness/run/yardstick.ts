import { mkdirSync } from 'node:fs'
import { nowMs } from '../clock.js'
import { startServer } from '../../models/start.js'
import type { RunningServer } from '../../models/types.js'
import type { Condition } from '../types.js'
import { withLoading } from '../knobs/loading.js'
import { controllersOf } from './knob-stages.js'
import { serverOf, type Prepared } from './prepare.js'
import type { UndoStack } from './undo-stack.js'

/** About so long a reading takes: a machine that changes its pace within a second, too, makes a shorter one say little of a block. */
const READING_MS = 500
const FEWEST_TOKENS = 8
const MOST_TOKENS = 256
const CONTEXT_TOKENS = 512
/** The reading behind one block is the one before the next. */
const FRESH_MS = 1000
const READING_TIMEOUT_MS = 60_000
/** It is held in memory once more for each number of threads: of a larger one a laptop may have no room for that. */
const LARGEST_MODEL_BYTES = 512 * 1024 ** 2

export interface Reading {
  /** Compute threads of the yardstick: readings of unlike numbers tell nothing of each other. */
  readonly threads: number
  /** For a token. */
  readonly ms: number
}

/**
 * Tells how fast the machine is just now, by milliseconds for a token of a llama-server of its own: one for each number of threads, on the CPUs that a condition has for so many,
 * one client, no knobs. It stands idle while blocks run. A CPU of a virtual machine may be half as fast again or not from one ten seconds to the next, without a trace in
 * steal time, and each CPU for itself; the same arithmetic on the same CPUs is what shows it.
 */
export interface Yardstick {
  /** @throws where its llama-server does not start, or gives no answer within a minute */
  read (condition: Pick<Condition, 'threads'>): Promise<Reading>
}

export interface YardstickInput {
  readonly prepared: Prepared
  readonly conditions: readonly Condition[]
  readonly folder: string
  readonly signal: AbortSignal
}

/** Undefined where conditions limit memory, and where the smallest model of the run has more than 512 MiB: a second llama-server is memory, too. */
export function yardstickFor ({ prepared, conditions, folder, signal }: YardstickInput, undo: UndoStack): Yardstick | undefined {
  const model = [...prepared.models.values()].reduce((a, b) => b.bytes < a.bytes ? b : a)
  if (model.bytes > LARGEST_MODEL_BYTES || controllersOf(conditions.flatMap(prepared.knobsOf)).includes('memory')) return undefined
  const started = new Map<number, Promise<() => Promise<number>>>()
  let last: { readonly reading: Reading, readonly atMs: number } | undefined
  return {
    async read ({ threads: asked }) {
      const { cpus, threads: wanted } = serverOf(prepared, asked === undefined ? {} : { threads: asked })
      // More threads than CPUs would measure how they wait for each other.
      const threads = cpus === undefined ? wanted : Math.min(wanted, cpus.length)
      if (last?.reading.threads === threads && nowMs() - last.atMs < FRESH_MS) return last.reading
      const ofThreads = started.get(threads) ?? start({ ...serverOf(prepared, { threads }), model }, folder, signal, undo)
      started.set(threads, ofThreads)
      const reading = { threads, ms: await (await ofThreads)() }
      last = { reading, atMs: nowMs() }
      return reading
    }
  }
}

/** Its model is read into memory of its own: mapped, its pages could not be dropped where a condition wants a cold file. */
async function start (server: ReturnType<typeof serverOf>, folder: string, signal: AbortSignal, undo: UndoStack): Promise<() => Promise<number>> {
  mkdirSync(folder, { recursive: true })
  const options = withLoading({ ...server, slots: 1, slotContextTokens: CONTEXT_TOKENS }, { map: false })
  const running = await undo.pushed('yardstick', startServer({ ...options, logPath: `${folder}/yardstick-t${server.threads}.log` }, { signal, stopGraceMs: 200 }))
  const firstMs = await msPerToken(running, FEWEST_TOKENS, signal)
  const tokens = Math.min(MOST_TOKENS, Math.max(FEWEST_TOKENS, Math.round(READING_MS / firstMs)))
  return async () => await msPerToken(running, tokens, signal)
}

async function msPerToken (server: RunningServer, tokens: number, signal: AbortSignal): Promise<number> {
  try {
    const answer = await ask(server, tokens, signal)
    const ms = answer.timings?.predicted_per_token_ms
    if (ms === undefined || !(ms > 0)) throw new Error('no time of a token (timings.predicted_per_token_ms) in its answer')
    return ms
  } catch (error) {
    signal.throwIfAborted()
    throw new Error(`yardstick: its llama-server gave no reading: ${error instanceof Error ? error.message : String(error)}; see ${server.logPath}`, { cause: error })
  }
}

async function ask ({ url, apiKey }: RunningServer, tokens: number, signal: AbortSignal): Promise<{ readonly timings?: { readonly predicted_per_token_ms?: number } }> {
  const answer = await fetch(`${url}/completion`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({ prompt: 'yardstick', n_predict: tokens, ignore_eos: true, cache_prompt: true, temperature: 0 }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(READING_TIMEOUT_MS)])
  })
  return await answer.json() as Awaited<ReturnType<typeof ask>>
}
