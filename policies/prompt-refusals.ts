import { refusal, type OwnAnswer } from './answers.js'
import type { CallCaps, Cap } from './caps.js'
import type { Excess } from './prompt-shape.js'

export interface TokenLimit {
  readonly tokens: number
  /** The context of a slot, or the configured cap where that is smaller or the context is not known. */
  readonly contextTokens: number
  /** What says so. */
  readonly option: string
}

/** @param slotContextTokens Infinity while it is not known @returns undefined: nothing says how long a prompt may be */
export function tokenLimit (caps: CallCaps, slotContextTokens: number): TokenLimit | undefined {
  const { maxPromptTokens: cap, minOutputTokens: room } = caps
  const contextTokens = Math.min(slotContextTokens, cap?.value ?? Infinity)
  const besideRoom = slotContextTokens - (room?.value ?? 0)
  if (cap !== undefined && cap.value <= besideRoom) return { tokens: cap.value, contextTokens, option: cap.option }
  if (besideRoom === Infinity) return undefined
  return { tokens: besideRoom, contextTokens, option: `a slot's context of ${slotContextTokens} less ${room?.option}` }
}

export function bodyTooLarge (bytes: number, cap: Cap): OwnAnswer {
  return refusal({
    status: 413,
    type: 'invalid_request_error',
    reason: 'body-too-large',
    message: `The body has ${bytes} bytes; at most ${cap.value} are allowed (${cap.option}).`
  })
}

/** @param dropped turns that were dropped in vain */
export function tooLong (promptTokens: number, limit: TokenLimit, dropped: number): OwnAnswer {
  return refusal({
    status: 400,
    type: 'exceed_context_size_error',
    reason: 'prompt-cap',
    message: `The prompt has ${promptTokens} tokens${withoutTurns(dropped)}; at most ${limit.tokens} are allowed (${limit.option}). Shorten it.`,
    extra: { n_prompt_tokens: promptTokens, n_ctx: limit.contextTokens },
    facts: { promptTokens, maxPromptTokens: limit.tokens }
  })
}

const words = {
  chars: { unit: 'characters', fact: 'promptChars', max: 'maxPromptChars', advice: 'Shorten it.' },
  turns: { unit: 'messages besides system and developer messages', fact: 'turns', max: 'maxTurns', advice: 'Leave out the oldest.' },
  images: { unit: 'images', fact: 'images', max: 'maxImages', advice: 'Leave some out.' }
} as const

/** @param dropped turns that were dropped in vain */
export function tooMuch ({ cap, what, count }: Excess, dropped: number): OwnAnswer {
  const { unit, fact, max, advice } = words[what]
  return refusal({
    status: 400,
    type: 'invalid_request_error',
    reason: 'prompt-cap',
    message: `The prompt has ${count} ${count === 1 ? unit.replace(/s$/, '') : unit}${withoutTurns(dropped)}; at most ${cap.value} are allowed (${cap.option}). ${advice}`,
    facts: { [fact]: count, [max]: cap.value }
  })
}

function withoutTurns (dropped: number): string {
  return dropped === 0 ? '' : ` without its oldest ${dropped === 1 ? 'turn' : `${dropped} turns`}`
}
