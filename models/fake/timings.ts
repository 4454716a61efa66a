/** The numbers of one choice of one call, in the fake's own time: the sum of the durations of its steps, not the wall clock. */
export interface Measured {
  readonly cachedTokens: number
  readonly promptTokens: number
  readonly promptMs: number
  readonly predictedTokens: number
  readonly predictedMs: number
}

export interface TimingsJson {
  cache_n: number
  prompt_n: number
  prompt_ms: number
  prompt_per_token_ms: number
  prompt_per_second: number
  predicted_n: number
  predicted_ms: number
  predicted_per_token_ms: number
  predicted_per_second: number
}

export function timingsJson (measured: Measured): TimingsJson {
  const promptN = measured.promptTokens - measured.cachedTokens
  // llama-server's clock of the prediction starts with the first token, so the first one costs nothing.
  const gaps = Math.max(measured.predictedTokens - 1, 0)
  return {
    cache_n: measured.cachedTokens,
    prompt_n: promptN,
    prompt_ms: measured.promptMs,
    prompt_per_token_ms: ratio(measured.promptMs, promptN),
    prompt_per_second: ratio(promptN * 1000, measured.promptMs),
    predicted_n: measured.predictedTokens,
    predicted_ms: measured.predictedMs,
    predicted_per_token_ms: ratio(measured.predictedMs, gaps),
    predicted_per_second: ratio(gaps * 1000, measured.predictedMs)
  }
}

export function usageJson (measured: Measured) {
  return {
    completion_tokens: measured.predictedTokens,
    prompt_tokens: measured.promptTokens,
    total_tokens: measured.promptTokens + measured.predictedTokens,
    prompt_tokens_details: { cached_tokens: measured.cachedTokens }
  }
}

function ratio (a: number, b: number): number {
  return b > 0 ? a / b : 0
}
