import type { Answer } from '../policies/contract.js'

/**
 * Error types of Anthropic's API by status, https://docs.claude.com/en/api/errors (as of late 2025). It answers 529 where we, like llama-server, say
 * 503: the type tells its clients the same.
 */
const anthropicTypes: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error'
}

/** Type for every status: `invalid_request_error` is also that of all other 4xx, `api_error` that of all other faults. */
function anthropicType (status: number): string {
  return anthropicTypes[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error')
}

/** An error body in the shape of Anthropic's API. Fields that it does not know (`code`, `reason`, `n_prompt_tokens` …) stay beside its own. */
export function anthropicError (status: number, error: object): object {
  return { type: 'error', error: { ...error, type: anthropicType(status) } }
}

/**
 * The gateway's own refusal or fault (an answer with a reason) in the shape that clients of this path read: Anthropic's on `/v1/messages` and below,
 * llama-server's, which is OpenAI's as well, on all others. What llama-server itself answers is passed on as it is.
 * @param path with or without query string
 */
export function inDialectOf (path: string, answer: Answer): Answer {
  if (answer.reason === undefined || !(answer.body instanceof Buffer) || !/^\/v1\/messages(?:[/?]|$)/.test(path)) return answer
  const error = errorIn(answer.body)
  return error === undefined ? answer : { ...answer, body: Buffer.from(JSON.stringify(anthropicError(answer.status, error))) }
}

/** Undefined for a body of another shape: a policy may have one of its own. */
function errorIn (body: Buffer): object | undefined {
  try {
    const error: unknown = Reflect.get(Object(JSON.parse(body.toString())), 'error')
    return typeof error === 'object' && error !== null ? error : undefined
  } catch {
    return undefined
  }
}
