import { Caps, type Cap, type CallCaps } from './caps.js'
import type { Answer, Call, PolicyFactory } from './contract.js'
import { isJson, PromptFitter, type Fits, type Fitted } from './fit-prompt.js'
import { needOf } from './need.js'
import { limitOutput } from './output-limit.js'
import { promptCapSchema, type PromptCapOptions } from './prompt-cap-options.js'
import { bodyTooLarge } from './prompt-refusals.js'

/** Refuses or truncates prompts that cannot fit before they wait, and bounds how much a call may generate. Belongs outside of `admission`. */
export const promptCap: PolicyFactory<PromptCapOptions> = {
  name: 'prompt-cap',
  schema: promptCapSchema,
  create (options, port) {
    const allCaps = new Caps(options)
    const fitter = new PromptFitter(port, options.whenTooLong === 'truncate')
    const measured = { counted: 0, bounded: 0, uncounted: 0, refused: 0, truncated: 0, runaway: 0 }
    return {
      gauges: () => ({ ...measured }),
      drain: () => undefined,
      async run (call, next) {
        const caps = allCaps.of(call)
        const fitted = refusedBody(call, caps.maxBodyBytes) ?? await fitter.fit(call, caps)
        measured[fitted.how]++
        if (fitted.how === 'refused') return fitted.answer
        if (fitted.dropped > 0) measured.truncated++
        const { reason, facts } = apply(call, fitted, caps)
        const answer = await next(call, reason, facts)
        if (call.need.maxOutputTime !== undefined) {
          answer.over.then(outcome => { if ((outcome.reason ?? answer.reason) === 'runaway') measured.runaway++ })
        }
        return saidTruncated(answer, fitted.dropped)
      }
    }
  }
}

/** Changes the call to what it may ask for, and says what was done. */
function apply (call: Call, fits: Fits, caps: CallCaps): { readonly reason: string, readonly facts: Record<string, number> } {
  const facts: Record<string, number> = {}
  call.body = fits.body
  if (fits.how === 'counted') call.need.promptTokens = facts['promptTokens'] = fits.tokens
  if (fits.dropped > 0) facts['droppedTurns'] = fits.dropped
  const bounded = boundOutput(call, caps)
  if (bounded) facts['maxTokens'] = call.need.maxTokens
  const how = fits.dropped > 0 ? 'truncated' : fits.how
  return { reason: bounded ? `${how}, output bounded` : how, facts }
}

/** Bounds the output in tokens and time; false when the body says a bound of tokens already. */
function boundOutput (call: Call, { maxTokens, maxOutputSeconds }: CallCaps): boolean {
  if (call.route !== 'generation') return false
  if (maxOutputSeconds !== undefined) call.need.maxOutputTime = { ms: maxOutputSeconds.value * 1e3, option: maxOutputSeconds.option }
  const json = isJson(call) && maxTokens !== undefined ? limitOutput(call.path, call.body.json, maxTokens.value) : undefined
  if (json === undefined) return false
  call.need.maxTokens = needOf(call.path, json).maxTokens
  call.body = call.body.withJson(json)
  return true
}

function refusedBody (call: Call, cap: Cap | undefined): Fitted | undefined {
  const { length } = call.body.bytes
  return cap === undefined || length <= cap.value ? undefined : { how: 'refused', answer: bodyTooLarge(length, cap) }
}

function saidTruncated (answer: Answer, dropped: number): Answer {
  return dropped === 0 ? answer : { ...answer, headers: { ...answer.headers, 'x-weir-truncated': `turns=${dropped}` } }
}
