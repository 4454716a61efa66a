import { outputBounds, outputField } from './need.js'

/**
 * The body with every output length at most `maxTokens`, or undefined when nothing has to change. The route's own field is
 * always set, because llama-server generates without bound where it is missing (L20).
 */
export function limitOutput (path: string, json: Readonly<Record<string, unknown>>, maxTokens: number): Readonly<Record<string, unknown>> | undefined {
  const field = outputField(path)
  const bounds = outputBounds(json)
  const tooLarge = bounds.filter(bound => bound.tokens > maxTokens)
  const isSet = bounds.some(bound => bound.field === field)
  if (isSet && tooLarge.length === 0) return undefined
  const asked = bounds.length === 0 ? maxTokens : Math.min(maxTokens, ...bounds.map(bound => bound.tokens))
  return {
    ...json,
    ...Object.fromEntries(tooLarge.map(bound => [bound.field, maxTokens])),
    ...(isSet ? {} : { [field]: asked })
  }
}
