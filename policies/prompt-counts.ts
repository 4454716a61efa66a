import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Backend } from './backend-port.js'
import type { Call } from './contract.js'

/** Fields that cannot change the prompt's tokens; everything else is in the key, so an unknown field costs a count, never a wrong one. */
const NOT_PROMPT = new Set([
  'stream', 'stream_options', 'user', 'metadata', 'seed', 'temperature', 'top_p', 'top_k', 'min_p', 'n', 'stop', 'frequency_penalty', 'presence_penalty',
  'repeat_penalty', 'logit_bias', 'logprobs', 'top_logprobs', 'max_tokens', 'max_completion_tokens', 'max_output_tokens', 'n_predict',
  'cache_prompt', 'id_slot', 'ignore_eos', 'timings_per_token', 'return_progress'
])

/** Exact token counts by the backend, remembered by the prompt's hash and the model's identity. */
export class PromptCounts {
  readonly #counts = new LRUCache<string, number>({ max: 4_096 })
  readonly #backend: Backend

  constructor (backend: Backend) {
    this.#backend = backend
  }

  /** Rejects when the backend does not answer. */
  async count (call: Call): Promise<number> {
    const key = this.#keyOf(call)
    const known = this.#counts.get(key)
    if (known !== undefined) return known
    const tokens = await this.#backend.countTokens(call, call.signal)
    this.#counts.set(key, tokens)
    return tokens
  }

  #keyOf (call: Call): string {
    const props = this.#backend.props()
    const prompt = Object.entries(call.body.json).filter(([field]) => !NOT_PROMPT.has(field))
    return createHash('sha256').update(JSON.stringify([props?.modelPath, props?.buildInfo, call.path, prompt])).digest('base64')
  }
}
