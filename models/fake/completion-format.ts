import type { AnswerFormat, Choice, FormatOptions } from './answer-format.js'
import { generationParams } from './generation-params.js'
import { timingsJson } from './timings.js'

/** `/completion`: llama-server's own route. Its stream ends with an event that has `stop: true`; there is no `[DONE]`. */
export function completionFormat (options: FormatOptions): AnswerFormat {
  return {
    done: undefined,
    named: false,
    bareErrors: false,
    first: () => [],
    token: (index, word, wordId, measured) => ({
      index,
      content: word,
      tokens: [wordId],
      stop: false,
      id_slot: -1,
      tokens_predicted: measured.predictedTokens,
      tokens_evaluated: measured.promptTokens,
      ...(options.timingsPerToken ? { timings: timingsJson(measured) } : {})
    }),
    last: choice => [whole(options, choice)],
    whole: choices => choices.length === 1 && choices[0] !== undefined ? whole(options, choices[0]) : choices.map(choice => whole(options, choice))
  }
}

function whole (options: FormatOptions, choice: Choice): object {
  return {
    index: choice.index,
    content: choice.stream ? '' : choice.text,
    tokens: [],
    id_slot: choice.slotId,
    stop: true,
    model: options.model,
    tokens_predicted: choice.measured.predictedTokens,
    tokens_evaluated: choice.measured.promptTokens,
    generation_settings: {
      ...generationParams(choice),
      dry_sequence_breakers: ['\n', ':', '"', '*'],
      stop: [],
      logit_bias: [],
      grammar: '',
      grammar_lazy: false,
      grammar_triggers: [],
      preserved_tokens: []
    },
    prompt: choice.promptText,
    has_new_line: false,
    truncated: false,
    stop_type: choice.limited ? 'limit' : 'eos',
    stopping_word: '',
    tokens_cached: choice.measured.promptTokens + choice.measured.predictedTokens - 1,
    timings: timingsJson(choice.measured)
  }
}
