import type { Answer } from '../policies/contract.js'

/** Error types as llama-server names them, by status. */
const typeOfStatus: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'invalid_request_error',
  429: 'rate_limit_error',
  499: 'client_closed_request',
  501: 'not_supported_error',
  502: 'upstream_error',
  503: 'unavailable_error',
  504: 'timeout_error'
}

export interface Refusal {
  readonly status: number
  /** The word of `X-Weir-Reason` and of the record. */
  readonly reason: string
  readonly message: string
  readonly retryAfterSeconds?: number
}

/** An error body in llama-server's shape, so that its clients understand a refusal of the gateway. */
export function errorBody (status: number, message: string): string {
  return JSON.stringify({ error: { code: status, message, type: typeOfStatus[status] ?? 'server_error' } })
}

/** Header values of a refusal, without Content-Length. */
export function refusalHeaders (refusal: Refusal): Record<string, string> {
  return {
    'content-type': 'application/json; charset=utf-8',
    'x-weir-reason': refusal.reason,
    ...(refusal.retryAfterSeconds === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(refusal.retryAfterSeconds))) })
  }
}

/** A refusal or fault of the gateway itself as an answer. `how` is `fault` for a failed upstream, `left` when nobody waits for it. */
export function refusalAnswer (refusal: Refusal, how: 'complete' | 'fault' | 'left' = 'complete', released: Promise<void> = Promise.resolve()): Answer {
  const body = Buffer.from(errorBody(refusal.status, refusal.message))
  return {
    status: refusal.status,
    headers: refusalHeaders(refusal),
    body,
    over: Promise.resolve({ how, bytes: how === 'complete' ? body.length : 0 }),
    released,
    reason: refusal.reason
  }
}
