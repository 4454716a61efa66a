import { createHash } from 'node:crypto'
import type { Call } from './contract.js'

/** What a call has in common with its repetitions and with no other: a client that tries again sends the same bytes. Made at the first asking. */
export function identityOf ({ caller, path, body }: Pick<Call, 'caller' | 'path' | 'body'>): () => string {
  let known: string | undefined
  return () => {
    known ??= createHash('sha256').update(JSON.stringify([caller, path])).update(body.bytes).digest('base64')
    return known
  }
}
