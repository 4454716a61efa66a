import { createHash } from 'node:crypto'
import { Pool, type Dispatcher } from 'undici'
import { nowMs } from '../clock.js'
import type { CallSample } from '../types.js'
import { createChatStream, errorText } from './chat-stream.js'
import { createEmbeddingAnswer } from './embedding-answer.js'
import { endOfStream, requestHeaders, streamPart } from './streamed-answer.js'
import type { Ending } from './streamed-answer.js'

export interface Target {
  /** Where `/v1/chat/completions` and `/v1/embeddings` are, e.g. `http://127.0.0.1:8080`. */
  readonly url: string
  readonly apiKey?: string | undefined
}

/** A call made ready: its body is built before its time comes. */
export interface PreparedCall {
  readonly phase: CallSample['phase']
  readonly seq: number
  readonly cls: string
  readonly body: string
  /** Goes to `/v1/embeddings`. */
  readonly embedding?: true
  /** Of a class whose lengths are drawn, for its sample. */
  readonly promptWords?: number
  readonly maxTokens?: number
  /** Beside those of every call; instead of them where they have the same name. */
  readonly headers?: Readonly<Record<string, string>>
  /** Its client gives it up so long after the headers of an answer came, or after it was sent: `unanswered`, reason `LEFT`. */
  readonly leave?: { readonly afterMs: number, readonly from?: 'sent' }
  /** Of a conversation, for its sample. */
  readonly conversation?: number
  readonly turn?: number
  /** Gets the text of a complete answer. */
  readonly onText?: (text: string) => void
}

export interface ChatClient {
  /**
   * Sends at once and resolves (never rejects) with how it ended. An abort of `signal` ends the patience: `unanswered`, with the
   * signal's reason as `reason` when that is a string.
   */
  call (prepared: PreparedCall, intendedMs: number, signal: AbortSignal): Promise<CallSample>
  /** Drops all connections. */
  close (): Promise<void>
}

/** Reason of a call that its client gave up as the experiment says. */
export const LEFT = 'left'

/** Statuses that are a policy's refusal when `X-Weir-Reason` says so. */
const REFUSALS = [400, 429, 503]
/** Bytes of an error's body that are looked at. */
const ERROR_BODY_LIMIT = 16_384

/** Fixed work per call: exactly `maxTokens` tokens out, nothing reused from the cache of a slot unless `cachePrompt` says so. */
export function chatBody (prompt: string, maxTokens: number, cachePrompt = false): string {
  return JSON.stringify({
    messages: [{ role: 'user', content: prompt }],
    max_tokens: maxTokens,
    ignore_eos: true,
    temperature: 0,
    cache_prompt: cachePrompt,
    stream: true,
    stream_options: { include_usage: true }
  })
}

/** One connection per call that is under way (no limit), kept alive between calls; no time limits of its own. */
export function openChatClient ({ url, apiKey }: Target): ChatClient {
  const base = new URL(url)
  const root = base.pathname.replace(/\/$/, '')
  const pathOf = ({ embedding }: PreparedCall): string => `${root}${embedding === true ? '/v1/embeddings' : '/v1/chat/completions'}`
  const pool = new Pool(base.origin, { connections: null, pipelining: 1, headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 0 } })
  const headers = requestHeaders(apiKey)
  return {
    call: (prepared, intendedMs, signal) => callOnce(pool, { path: pathOf(prepared), method: 'POST', headers: { ...headers, ...prepared.headers }, body: prepared.body }, prepared, intendedMs, signal),
    close: () => pool.destroy()
  }
}

function callOnce (pool: Pool, request: Dispatcher.DispatchOptions, prepared: PreparedCall, intendedMs: number, signal: AbortSignal): Promise<CallSample> {
  return new Promise(resolve => {
    const stream = prepared.embedding === true ? createEmbeddingAnswer() : createChatStream()
    const stamps: { headersMs?: number, status?: number, retryAfterSeconds?: number, weirId?: string } = {}
    let weirReason: string | undefined
    let errorBody = ''
    let control: Dispatcher.DispatchController | undefined
    let settled = false
    let leaving: NodeJS.Timeout | undefined
    const { phase, seq, cls, promptWords, maxTokens, leave: leaver, conversation, turn } = prepared
    const lengths = { ...(conversation === undefined ? {} : { conversation }), ...(turn === undefined ? {} : { turn }), ...(promptWords === undefined ? {} : { promptWords }), ...(maxTokens === undefined ? {} : { maxTokens }) }
    const sentMs = nowMs()

    function settle (ending: Ending): void {
      if (settled) return
      settled = true
      const doneMs = nowMs()
      clearTimeout(leaving)
      signal.removeEventListener('abort', giveUp)
      const whole = ending.outcome === 'answered'
      if (whole) prepared.onText?.(stream.text)
      const answerHash = whole && prepared.embedding !== true ? { answerHash: createHash('sha256').update(stream.text).digest('hex').slice(0, 16) } : {}
      const sample = { phase, seq, cls, ...lengths, intendedMs, sentMs, doneMs, ...stamps, ...ending, ...streamPart(stream), ...answerHash }
      // undici hands a connection back only after this event: a closed loop that went on at once would open a second one.
      setImmediate(resolve, sample)
    }
    function giveUp (): void {
      leave(typeof signal.reason === 'string' ? signal.reason : undefined)
    }
    function leave (reason: string | undefined): void {
      settle({ outcome: 'unanswered', ...(reason === undefined ? {} : { reason }) })
      control?.abort(new Error('nobody waits any more'))
    }
    signal.addEventListener('abort', giveUp, { once: true })
    if (signal.aborted) return giveUp()
    if (leaver?.from === 'sent') leaving = setTimeout(leave, leaver.afterMs, LEFT)

    pool.dispatch(request, {
      onRequestStart (controller) {
        control = controller
        if (settled) controller.abort(new Error('nobody waits any more'))
      },
      onResponseStart (_controller, status, headers) {
        stamps.headersMs = nowMs()
        stamps.status = status
        weirReason = text(headers['x-weir-reason'])
        const weirId = text(headers['x-weir-id'])
        if (weirId !== undefined) stamps.weirId = weirId
        const retryAfter = text(headers['retry-after'])
        if (retryAfter !== undefined && /^\d+$/.test(retryAfter)) stamps.retryAfterSeconds = Number(retryAfter)
        if (leaver !== undefined && leaver.from === undefined && status === 200) leaving = setTimeout(leave, leaver.afterMs, LEFT)
      },
      onResponseData (_controller, chunk) {
        if (stamps.status === 200) stream.feed(chunk, nowMs())
        else if (errorBody.length < ERROR_BODY_LIMIT) errorBody += chunk.toString('latin1')
      },
      onResponseEnd () {
        if (stamps.status === 200) settle(endOfStream(stream, prepared.embedding === true ? 'its vectors' : '[DONE]'))
        else settle(endOfError(stamps.status, weirReason, errorBody))
      },
      onResponseError (_controller, error) {
        const cut = stamps.status === 200
        settle({ outcome: 'failed', reason: cut ? `cut: ${stream.error ?? codeOf(error)}` : codeOf(error) })
      }
    })
  })
}

function endOfError (status: number | undefined, weirReason: string | undefined, body: string): Ending {
  if (weirReason !== undefined && status !== undefined && REFUSALS.includes(status)) return { outcome: 'refused', reason: weirReason }
  return { outcome: 'failed', reason: `http ${status}: ${weirReason ?? errorText(body)}` }
}

function codeOf (error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}

function text (value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
