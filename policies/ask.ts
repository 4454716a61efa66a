import type { Call } from './contract.js'
import { isNameable } from './need.js'
import { promptText } from './prompt-text.js'
import type { Ask } from './schedule-events.js'

/** Headers by which a call says how urgent it is. */
export const askHeaders = {
  /** Limits on the time from its arrival to its first byte and to its end, milliseconds. */
  ttftLimit: 'x-slo-ttft-ms',
  finishLimit: 'x-weir-deadline-ms',
  /** Class: 0 is served first. */
  priority: 'x-weir-priority'
} as const

/** The worst class there is. */
const LAST_PRIORITY = 9

/**
 * What a call may ask of the schedule: its headers, within what its caller's key grants. A header that is no number is as good as none: what it is for is a wish, and a
 * call that would be served without it is not refused for it.
 */
export function askOf (call: Call): Ask {
  const { grant, headers, need } = call
  const ttftLimitMs = positive(headers.get(askHeaders.ttftLimit))
  const finishLimitMs = positive(headers.get(askHeaders.finishLimit))
  return {
    caller: call.caller,
    weight: grant.weight,
    priority: Math.min(LAST_PRIORITY, Math.max(grant.bestPriority, whole(headers.get(askHeaders.priority)) ?? grant.usualPriority)),
    ...(grant.maxPlaces === undefined ? {} : { maxPlaces: grant.maxPlaces }),
    nameable: isNameable(call.path, call.body.json),
    ...(need.promptTokens === undefined ? {} : { promptTokens: need.promptTokens }),
    bodyBytes: call.body.bytes.length,
    maxTokens: need.maxTokens,
    ...(ttftLimitMs === undefined ? {} : { ttftLimitMs }),
    ...(finishLimitMs === undefined ? {} : { finishLimitMs })
  }
}

/** What the choice of a slot by prompts needs beside it; the whole prompt is looked at. */
export function promptOf ({ path, body }: Call): Pick<Ask, 'prompt' | 'reusesNothing'> {
  const prompt = promptText(path, body.json)
  return { ...(prompt === undefined ? {} : { prompt }), reusesNothing: body.json['cache_prompt'] === false }
}

function positive (text: string | undefined): number | undefined {
  const value = Number(text)
  return text !== undefined && value > 0 && Number.isFinite(value) ? value : undefined
}

function whole (text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}
