import { refusal } from '../policies/answers.js'
import type { Answer, Outcome } from '../policies/contract.js'

/** Error types as llama-server names them, by status; `rate_limit_error` and the like where it has none. */
const typeOfStatus: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'invalid_request_error',
  413: 'invalid_request_error',
  415: 'invalid_request_error',
  431: 'invalid_request_error',
  499: 'client_closed_request',
  502: 'upstream_error',
  503: 'unavailable_error',
  504: 'timeout_error'
}

/** What the gateway itself refuses, or reports of upstream. */
export interface OwnRefusal {
  readonly status: number
  /** The word of `X-Weir-Reason` and of the record. */
  readonly reason: string
  readonly message: string
  readonly retryAfterSeconds?: number
}

export function errorType (status: number): string {
  return typeOfStatus[status] ?? 'server_error'
}

/** The gateway's own refusal as an answer in llama-server's error shape. */
export function ownRefusal (refused: OwnRefusal): Answer {
  return refusal({ ...refused, type: errorType(refused.status) })
}

/** An answer in place of one that upstream did not give: `fault`, or `left` when nobody waits for it. */
export function faultAnswer (refused: OwnRefusal, how: Outcome['how'] & ('fault' | 'left'), released: Promise<void>): Answer {
  return { ...ownRefusal(refused), over: Promise.resolve({ how, bytes: 0 }), released }
}
