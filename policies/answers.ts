import type { Answer, Outcome } from './contract.js'

/** An answer that a policy makes itself; the chain lifts `facts` into its decision, since no `next` carries them. */
export interface OwnAnswer extends Answer {
  readonly facts?: Readonly<Record<string, number>>
  /** Why it was served, for the record; a refusal has `reason` instead. */
  readonly because?: string
  /** The id of the call that this answer was asked for; it is shared with that one. */
  readonly follows?: string
}

export interface Refusal {
  readonly status: number
  /** llama-server's error types where it has one for this status, else `rate_limit_error` (429). */
  readonly type: string
  /** Says the value, what is allowed and what to do next. */
  readonly message: string
  /** Machine-readable word: the same in `X-Weir-Reason`, the record and the metrics. */
  readonly reason: string
  /** Rounded up to whole seconds, at least 1. Absent: repeating the same call is useless. */
  readonly retryAfterSeconds?: number
  /** More fields of the error object, e.g. `n_prompt_tokens`. */
  readonly extra?: Readonly<Record<string, unknown>>
  /** Numbers for the decision in the record. */
  readonly facts?: Readonly<Record<string, number>>
}

/** A refusal is a value, in llama-server's error shape; nothing of it is at upstream, so it is over and released already. */
export function refusal (refused: Refusal): OwnAnswer {
  const { status, type, message, reason, retryAfterSeconds, extra, facts } = refused
  const body = Buffer.from(JSON.stringify({ error: { code: status, message, type, reason, ...extra } }))
  const outcome: Outcome = { how: 'complete', bytes: body.length }
  return {
    status,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'x-weir-reason': reason,
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterSeconds))) })
    },
    body,
    over: Promise.resolve(outcome),
    released: Promise.resolve(),
    reason,
    ...(facts === undefined ? {} : { facts })
  }
}
