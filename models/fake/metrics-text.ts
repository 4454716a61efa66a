import type { Engine } from './engine.js'

/** `/metrics` in Prometheus' text format, with the names of llama-server. */
export function metricsText (engine: Engine): string {
  const totals = engine.totals
  return [
    counter('prompt_tokens_total', 'Number of prompt tokens processed, excluding cached tokens', totals.promptTokens),
    counter('prompt_tokens_cached_total', 'Number of prompt tokens reused from the cache', totals.cachedTokens),
    counter('prompt_seconds_total', 'Total time spent processing prompts', totals.promptMs / 1000),
    counter('tokens_predicted_total', 'Number of generation tokens processed', totals.predictedTokens),
    counter('tokens_predicted_seconds_total', 'Total time spent generating tokens', totals.predictedMs / 1000),
    counter('n_decode_total', 'Total number of llama_decode() calls, excluding speculative decoding and multimodal decoding', totals.decodes),
    counter('n_tokens_max', 'Largest observed sequence length (prompt + generation)', totals.maxTokens),
    counter('spec_decode_num_draft_tokens_total', 'Speculative: Total draft tokens generated', 0),
    counter('spec_decode_num_accepted_tokens_total', 'Speculative: Total draft tokens accepted by the target model', 0),
    counter('spec_decode_num_drafts_total', 'Speculative: Total speculative decoding verification steps', 0),
    gauge('prompt_tokens_seconds', 'Average prompt throughput in tokens/s', perSecond(totals.promptTokens, totals.promptMs)),
    gauge('predicted_tokens_seconds', 'Average generation throughput in tokens/s', perSecond(totals.predictedTokens, totals.predictedMs)),
    gauge('requests_processing', 'Number of requests processing', engine.busySlots),
    gauge('requests_deferred', 'Number of requests deferred', engine.deferred),
    gauge('n_busy_slots_per_decode', 'Average number of busy slots per llama_decode() call', totals.decodes > 0 ? totals.busySlots / totals.decodes : 0)
  ].join('')
}

function counter (name: string, help: string, value: number): string {
  return metric(name, help, 'counter', value)
}

function gauge (name: string, help: string, value: number): string {
  return metric(name, help, 'gauge', value)
}

function metric (name: string, help: string, type: string, value: number): string {
  return `# HELP llamacpp:${name} ${help}\n# TYPE llamacpp:${name} ${type}\nllamacpp:${name} ${value}\n`
}

function perSecond (tokens: number, ms: number): number {
  return ms > 0 ? tokens * 1000 / ms : 0
}
