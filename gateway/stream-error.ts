import { anthropicError } from './error-dialect.js'
import { errorType } from './refusal.js'
import type { StreamEnd } from './routes.js'

/**
 * The last event of a stream that upstream did not finish, in the dialect of its route. It begins with an empty line,
 * so that it is an event of its own even when the stream was cut inside another one.
 * @param reason the word of the record, where the gateway itself ended it
 */
export function streamErrorEvent (end: StreamEnd, status: number, message: string, reason?: string): string {
  const why = reason === undefined ? {} : { reason }
  const error = { code: status, message, type: errorType(status), ...why }
  switch (end) {
    case 'message_stop': return `\n\nevent: error\ndata: ${JSON.stringify(anthropicError(status, error))}\n\n`
    case 'response.completed': return `\n\nevent: error\ndata: ${JSON.stringify({ type: 'error', code: String(status), message, param: null, ...why })}\n\n`
    default: return `\n\ndata: ${JSON.stringify({ error })}\n\n`
  }
}
