import { request, type IncomingMessage } from 'node:http'
import { nowMs } from '../clock.js'
import type { CallSample } from '../types.js'
import { errorText } from './chat-stream.js'
import type { Target } from './client.js'
import { createCompletionStream, type CompletionStream } from './completion-stream.js'
import { endOfStream, requestHeaders, streamPart } from './streamed-answer.js'
import type { Ending } from './streamed-answer.js'
import { waitUntil } from './wait.js'

export interface StreamsOptions {
  readonly target: Target
  readonly phase: CallSample['phase']
  readonly clients: number
  /** Calls of each client, one after the other. */
  readonly callsPerClient: number
  /** A client that has made its calls makes more until this long after the start, milliseconds. */
  readonly atLeastMs?: number
  readonly prompt: string
  readonly predictTokens: number
  /** Whether a slot may keep and reuse what it computed of the prompt. */
  readonly cachePrompt?: boolean
  /** Between an answer and the next call of a client. */
  readonly pauseMs: number
  /** Of one call, milliseconds; then it is `unanswered`. */
  readonly patienceMs: number
  readonly onSend: () => void
  readonly onSample: (sample: CallSample) => void
  /** Calls under way become `unanswered` with reason `stopped`, no more are made. */
  readonly signal: AbortSignal
}

/** After a failure a client waits this long: a dead server must not be asked in a tight loop. */
const PAUSE_AFTER_FAILURE_MS = 100

/**
 * Closed loop of `clients` streams straight to llama-server's `/completion`. node:http and a connection for each call: native parsing, no pool,
 * nothing kept alive that the server may close.
 */
export async function runStreams (options: StreamsOptions): Promise<void> {
  const { clients, callsPerClient, atLeastMs = 0, pauseMs, signal, onSend, onSample } = options
  const untilMs = nowMs() + atLeastMs
  let calls = 0
  const body = completionBody(options.prompt, options.predictTokens, options.cachePrompt)
  async function client (): Promise<void> {
    for (let call = 0; (call < callsPerClient || nowMs() < untilMs) && !signal.aborted; call++) {
      if (call > 0 && pauseMs > 0) await waitUntil(nowMs() + pauseMs, { spin: false, signal })
      if (signal.aborted) return
      const answer = callOnce(options, body, calls++)
      onSend()
      const sample = await answer
      onSample(sample)
      if (sample.outcome !== 'answered') await waitUntil(nowMs() + PAUSE_AFTER_FAILURE_MS, { spin: false, signal })
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
}

/** Fixed work per call: exactly `predictTokens` tokens out, and unless told nothing reused from the cache of a slot. */
export function completionBody (prompt: string, predictTokens: number, cachePrompt = false): string {
  return JSON.stringify({ prompt, n_predict: predictTokens, ignore_eos: true, temperature: 0, cache_prompt: cachePrompt, stream: true })
}

/** Resolves (never rejects) with how the call ended. */
function callOnce ({ target, phase, patienceMs, signal }: StreamsOptions, body: string, seq: number): Promise<CallSample> {
  return new Promise(resolve => {
    const stream = createCompletionStream()
    const stamps: { headersMs?: number, status?: number } = {}
    const sentMs = nowMs()
    const patience = setTimeout(() => settle({ outcome: 'unanswered', reason: 'patience over' }), patienceMs)
    const sent = request(new URL('/completion', target.url), {
      method: 'POST',
      agent: false,
      headers: { ...requestHeaders(target.apiKey), 'content-length': Buffer.byteLength(body) }
    })
    let settled = false
    function settle (ending: Ending): void {
      if (settled) return
      settled = true
      clearTimeout(patience)
      signal.removeEventListener('abort', stop)
      sent.destroy()
      resolve({ phase, seq, cls: 'stream', intendedMs: sentMs, sentMs, ...stamps, doneMs: nowMs(), ...ending, ...streamPart(stream) })
    }
    const stop = (): void => settle({ outcome: 'unanswered', reason: 'stopped' })
    signal.addEventListener('abort', stop, { once: true })
    sent.on('error', (error: NodeJS.ErrnoException) => settle({ outcome: 'failed', reason: error.code ?? error.message }))
    sent.on('response', response => {
      stamps.headersMs = nowMs()
      stamps.status = response.statusCode ?? 0
      if (response.statusCode === 200) readStream(response, stream, settle)
      else readError(response, settle)
    })
    sent.end(body)
  })
}

function readStream (response: IncomingMessage, stream: CompletionStream, settle: (ending: Ending) => void): void {
  response.on('data', (bytes: Buffer) => stream.feed(bytes, nowMs()))
  response.on('end', () => settle(endOfStream(stream, 'its last event')))
  response.on('error', (error: NodeJS.ErrnoException) => settle({ outcome: 'failed', reason: `cut: ${error.code ?? error.message}` }))
}

function readError (response: IncomingMessage, settle: (ending: Ending) => void): void {
  let text = ''
  response.setEncoding('utf8')
  response.on('data', (part: string) => { text += part })
  const end = (): void => settle({ outcome: 'failed', reason: `http ${response.statusCode}: ${errorText(text)}` })
  response.on('end', end).on('error', end)
}
