/** A refusal of the fake in llama-server's shape. */
export class ServerError extends Error {
  constructor (readonly status: number, readonly type: string, message: string, readonly extra: Readonly<Record<string, number>> = {}) {
    super(message)
  }

  get body (): { error: Record<string, number | string> } {
    return { error: { code: this.status, message: this.message, type: this.type, ...this.extra } }
  }
}

export function badRequest (message: string): ServerError {
  return new ServerError(400, 'invalid_request_error', message)
}

export function contextExceeded (promptTokens: number, contextTokens: number): ServerError {
  return new ServerError(400, 'exceed_context_size_error',
    `request (${promptTokens} tokens) exceeds the available context size (${contextTokens} tokens), try increasing it`,
    { n_prompt_tokens: promptTokens, n_ctx: contextTokens })
}

export function kvFull (): ServerError {
  return new ServerError(500, 'server_error', 'Context size has been exceeded.')
}

export const notFound = new ServerError(404, 'not_found_error', 'File Not Found')
export const wrongKey = new ServerError(401, 'authentication_error', 'Invalid API Key')
export const loading = new ServerError(503, 'unavailable_error', 'Loading model')
