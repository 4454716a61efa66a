import type { CallSample, ServiceTime } from '../types.js'

/** Prompts must differ by this factor: else nothing tells what one takes beside its tokens. */
const SPREAD = 2

/**
 * What calls take on an idle server, from calls made one at a time: least squares of the time to first token over the length of the prompt, and the mean time between tokens.
 * Undefined where lengths do not differ, or the server does not tell them.
 */
export function serviceTimeOf (calls: readonly CallSample[]): ServiceTime | undefined {
  const points = calls.flatMap(({ promptTokens, firstMs, sentMs }) => promptTokens === undefined || firstMs === undefined ? [] : [{ tokens: promptTokens, ms: firstMs - sentMs }])
  const lengths = points.map(({ tokens }) => tokens)
  if (points.length < 3 || Math.max(...lengths) < SPREAD * Math.min(...lengths)) return undefined
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const [tokens, ms] = [mean(lengths), mean(points.map(point => point.ms))]
  const msPerPromptToken = mean(points.map(point => (point.tokens - tokens) * (point.ms - ms))) / mean(points.map(point => (point.tokens - tokens) ** 2))
  let [decodeMs, gaps] = [0, 0]
  for (const { firstMs = 0, lastMs = firstMs, chunks } of calls) {
    decodeMs += lastMs - firstMs
    gaps += Math.max(0, chunks - 1)
  }
  if (!(msPerPromptToken > 0) || gaps === 0) return undefined
  const rounded = (value: number): number => Math.round(value * 1000) / 1000
  return { msPerCall: rounded(Math.max(0, ms - msPerPromptToken * tokens)), msPerPromptToken: rounded(msPerPromptToken), msPerOutputToken: rounded(decodeMs / gaps) }
}

/** Seconds that this answer is predicted to have cost the server: its work. 0 for a call without tokens. */
export function workSeconds ({ promptTokens, outputTokens, chunks }: Pick<CallSample, 'promptTokens' | 'outputTokens' | 'chunks'>, { msPerCall, msPerPromptToken, msPerOutputToken }: ServiceTime): number {
  return promptTokens === undefined ? 0 : (msPerCall + msPerPromptToken * promptTokens + msPerOutputToken * (outputTokens ?? chunks)) / 1000
}
