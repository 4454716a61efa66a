import { Type, type Static } from '@sinclair/typebox'
import { refusal } from './answers.js'
import type { Answer, Call, PolicyFactory, Port } from './contract.js'
import { withLongestPrompt } from './longest-prompt.js'
import { limitOutput } from './output-limit.js'
import { needOf } from './need.js'
import { promptTokensBound } from './prompt-bound.js'
import { PromptCounts } from './prompt-counts.js'

export const promptCapSchema = Type.Object({
  maxPromptTokens: Type.Optional(Type.Integer({
    minimum: 1,
    description: 'Longest prompt, tokens after the model\'s template. Default: the context of a slot less minOutputTokens.'
  })),
  maxTokens: Type.Optional(Type.Integer({
    minimum: 1,
    default: 1_024,
    description: 'Most tokens that a call may generate; larger wishes are reduced to it, and it is set where the client set nothing.'
  })),
  minOutputTokens: Type.Optional(Type.Integer({
    minimum: 1,
    default: 1,
    description: 'Tokens of a slot\'s context that must be left for the answer.'
  })),
  maxBodyBytes: Type.Optional(Type.Integer({
    minimum: 1,
    description: 'Largest request body, bytes (413 body-too-large). Default: whatever the gateway\'s own body limit lets through.'
  }))
}, { additionalProperties: false, description: 'Refuses prompts that cannot fit before they wait, and bounds how much a call may generate.' })

export type PromptCapOptions = Static<typeof promptCapSchema>

/** Refuses prompts that cannot fit before they wait, and bounds how much a call may generate. Belongs outside of `admission`. */
export const promptCap: PolicyFactory<PromptCapOptions> = {
  name: 'prompt-cap',
  schema: promptCapSchema,
  create (options, port) {
    const counts = new PromptCounts(port.backend)
    const measured = { counted: 0, bounded: 0, uncounted: 0, refused: 0 }
    return {
      gauges: () => ({ ...measured }),
      drain: () => undefined,
      async run (call, next) {
        const sizeRefusal = bodyTooLarge(call, options.maxBodyBytes)
        if (sizeRefusal !== undefined) {
          measured.refused++
          return sizeRefusal
        }
        const limit = promptLimit(options, port)
        const found = await promptTokens(call, limit?.tokens, counts, port)
        measured[found.how]++
        if (limit !== undefined && found.how === 'counted' && found.tokens > limit.tokens) {
          measured.refused++
          return tooLong(found.tokens, limit)
        }
        if (found.how === 'counted') call.need.promptTokens = found.tokens
        const facts = found.how === 'counted' ? { promptTokens: found.tokens } : {}
        if (!boundOutput(call, options.maxTokens ?? 1_024)) return next(call, found.how, facts)
        return next(call, `${found.how}, output bounded`, { ...facts, maxTokens: call.need.maxTokens })
      }
    }
  }
}

interface Limit {
  readonly tokens: number
  /** The context of a slot, or the configured cap where that is smaller or the context is not known. */
  readonly contextTokens: number
}

function promptLimit (options: PromptCapOptions, port: Port): Limit | undefined {
  const contextTokens = port.backend.props()?.slotContextTokens ?? Infinity
  const tokens = Math.min(options.maxPromptTokens ?? Infinity, contextTokens - (options.minOutputTokens ?? 1))
  return tokens === Infinity ? undefined : { tokens, contextTokens: Math.min(contextTokens, options.maxPromptTokens ?? Infinity) }
}

type Found = { readonly how: 'counted', readonly tokens: number } | { readonly how: 'bounded' | 'uncounted' }

async function promptTokens (call: Call, limitTokens: number | undefined, counts: PromptCounts, port: Port): Promise<Found> {
  if (limitTokens === undefined || !isJson(call)) return { how: 'uncounted' }
  const single = withLongestPrompt(call)
  const boundTokens = promptTokensBound(single)
  if (boundTokens !== undefined && boundTokens <= limitTokens) return { how: 'bounded' }
  try {
    return { how: 'counted', tokens: await counts.count(single) }
  } catch (error) {
    if (call.signal.aborted) throw error
    port.log.warn({ id: call.id, err: error }, 'prompt-cap: the backend did not count the prompt; the call is passed on uncounted')
    return { how: 'uncounted' }
  }
}

/** Gives the call a body with a bounded output; false when it is bounded already. */
function boundOutput (call: Call, maxTokens: number): boolean {
  if (call.route !== 'generation' || !isJson(call)) return false
  const json = limitOutput(call.path, call.body.json, maxTokens)
  if (json === undefined) return false
  call.need.maxTokens = needOf(call.path, json).maxTokens
  call.body = call.body.withJson(json)
  return true
}

function isJson (call: Call): boolean {
  return !call.headers.get('content-type')?.startsWith('multipart/')
}

function bodyTooLarge (call: Call, maxBodyBytes: number | undefined): Answer | undefined {
  const { length } = call.body.bytes
  if (maxBodyBytes === undefined || length <= maxBodyBytes) return undefined
  return refusal({
    status: 413,
    type: 'invalid_request_error',
    reason: 'body-too-large',
    message: `The body has ${length} bytes; at most ${maxBodyBytes} are allowed (prompt-cap.maxBodyBytes).`
  })
}

function tooLong (promptTokens: number, limit: Limit): Answer {
  return refusal({
    status: 400,
    type: 'exceed_context_size_error',
    reason: 'prompt-cap',
    message: `The prompt has ${promptTokens} tokens; at most ${limit.tokens} are allowed. Shorten it.`,
    extra: { n_prompt_tokens: promptTokens, n_ctx: limit.contextTokens },
    facts: { promptTokens, maxPromptTokens: limit.tokens }
  })
}
