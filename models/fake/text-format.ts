import { BUILD_INFO, type AnswerFormat, type FormatOptions } from './answer-format.js'
import { finishReason, numbers } from './chat-format.js'
import { timingsJson, usageJson } from './timings.js'

/** `/v1/completions`: OpenAI's older, text-only route. Its last event has the usage whether asked for or not. */
export function textFormat (options: FormatOptions): AnswerFormat {
  const answer = (choices: readonly unknown[], extra: object = {}) => ({
    choices,
    created: options.createdS,
    model: options.model,
    system_fingerprint: BUILD_INFO,
    object: 'text_completion',
    ...extra,
    id: options.id
  })
  const text = (index: number, text: string, finishReason: string | null = null) => ({ text, index, logprobs: null, finish_reason: finishReason })
  return {
    done: '[DONE]',
    named: false,
    bareErrors: false,
    first: () => [],
    token: (index, word, _wordId, measured) =>
      answer([text(index, word)], options.timingsPerToken ? { timings: timingsJson(measured) } : {}),
    last: choice => [answer([text(choice.index, '', finishReason(choice))],
      { usage: usageJson(choice.measured), timings: timingsJson(choice.measured) })],
    whole: choices => answer(choices.map(choice => text(choice.index, choice.text, finishReason(choice))), numbers(choices))
  }
}
