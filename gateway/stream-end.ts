import type { StreamEnd } from './routes.js'

/** `error`: llama-server itself told of a failure in its last event. `missing`: neither that nor the route's end came. */
export type StreamEnding = 'whole' | 'error' | 'missing'

/**
 * How a stream ended that upstream closed properly, by its last event.
 * @param text end of the stream; the last event may begin before it: llama-server repeats the prompt in `/completion`'s last event and the
 * answer in `/v1/responses`', so those two are also known by what stands at their end. A quote inside a JSON string is escaped: no
 * generated text looks like an end.
 */
export function streamEnding (end: StreamEnd, text: string): StreamEnding {
  const sent = text.trimEnd()
  const before = Math.max(sent.lastIndexOf('\n\n'), sent.lastIndexOf('\n\r\n'))
  const last = sent.slice(before + 1)
  const fromBeginning = before >= 0 || /^(?:event|data):/.test(last)
  if (fromBeginning && /^(?:event: ?error$|error: ?\{|data: ?\{"error":)/m.test(last)) return 'error'
  return endOf[end](last, fromBeginning) ? 'whole' : 'missing'
}

/** By the last event, and whether that is there from its beginning. */
const endOf: Readonly<Record<StreamEnd, (last: string, fromBeginning: boolean) => boolean>> = {
  // Transcriptions are OpenAI's, too, which has no [DONE] there.
  done: last => /^data: ?\[DONE\]$/m.test(last) || /"type": ?"transcript\.text\.done"/.test(last),
  stop: last => /"stop": ?true|"stop_type": ?"/.test(last),
  message_stop: last => /"type": ?"message_stop"/.test(last),
  'response.completed': (last, fromBeginning) => fromBeginning
    ? /^event: ?response\.(?:completed|incomplete|failed)$/m.test(last) || /"type": ?"response\.(?:completed|incomplete|failed)"/.test(last)
    : /"usage": ?\{/.test(last)
}

/** The words for the end that did not come. */
export const endNames: Readonly<Record<StreamEnd, string>> = {
  done: 'data: [DONE]',
  stop: '"stop":true',
  message_stop: 'message_stop',
  'response.completed': 'response.completed'
}
