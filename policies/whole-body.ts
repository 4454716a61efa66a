import { Readable } from 'node:stream'
import type { Answer } from './contract.js'
import { Recording } from './recording.js'
import { relayOf } from './relay-body.js'

/** The same answer, with its body in one piece once that is there; undefined when it was cut, or has more than `maxBytes`. */
export async function withWholeBody (answer: Answer, maxBytes: number): Promise<Answer | undefined> {
  const { body: source } = answer
  if (!(source instanceof Readable)) return answer
  const body = await new Promise<Buffer | undefined>(resolve => { relayOf(source).relayTo(new Recording(maxBytes, resolve)) })
  return body === undefined ? undefined : { ...answer, body }
}
