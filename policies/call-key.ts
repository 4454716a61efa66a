import { createHash } from 'node:crypto'
import { canonicalBody } from './canonical-body.js'
import type { Call } from './contract.js'
import { isJson } from './fit-prompt.js'

/** Who may get an answer that another call was given. */
export type SharedAmong = 'caller' | 'all'

/**
 * What two calls must have in common to be one: route, caller, and the whole body as it goes upstream. Whether it streams, and what a stream shows beside the text
 * (`stream`, `stream_options`, `timings_per_token`, `return_progress`), is in the body and so in the key: an answer serves only calls that wanted it in this form, because
 * no form can be made of another one exactly.
 * @param model what answers; empty where that cannot change
 * @returns undefined for an upload, and for a body that upstream would refuse to read
 */
export function keyOf (call: Call, among: SharedAmong, model: string): string | undefined {
  const body = isJson(call) ? canonicalBody(call.body.bytes) : undefined
  if (body === undefined) return undefined
  const hash = createHash('sha256')
  hash.update(JSON.stringify([model, among === 'caller' ? ['caller', call.caller] : 'all', call.method, call.path]))
  return hash.update(body).digest('base64')
}
