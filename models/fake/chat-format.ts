import { BUILD_INFO, type AnswerFormat, type Choice, type FormatOptions } from './answer-format.js'
import { timingsJson, usageJson } from './timings.js'

/** `/v1/chat/completions`. */
export function chatFormat (options: FormatOptions): AnswerFormat {
  const chunk = (choices: readonly unknown[], extra: object = {}) => ({
    choices,
    created: options.createdS,
    id: options.id,
    model: options.model,
    system_fingerprint: BUILD_INFO,
    object: 'chat.completion.chunk',
    ...extra
  })
  const delta = (index: number, delta: object, finishReason: string | null = null) => [{ finish_reason: finishReason, index, delta }]
  return {
    done: '[DONE]',
    named: false,
    bareErrors: false,
    first: index => [chunk(delta(index, { role: 'assistant', content: null }))],
    token: (index, word, _wordId, measured) =>
      chunk(delta(index, { content: word }), options.timingsPerToken ? { timings: timingsJson(measured) } : {}),
    last: choice => {
      const timings = { timings: timingsJson(choice.measured) }
      const end = delta(choice.index, {}, finishReason(choice))
      return options.includeUsage
        ? [chunk(end), chunk([], { usage: usageJson(choice.measured), ...timings })]
        : [chunk(end, timings)]
    },
    whole: choices => ({
      choices: choices.map(choice => ({ finish_reason: finishReason(choice), index: choice.index, message: { role: 'assistant', content: choice.text } })),
      created: options.createdS,
      model: options.model,
      system_fingerprint: BUILD_INFO,
      object: 'chat.completion',
      ...numbers(choices),
      id: options.id
    })
  }
}

export function finishReason (choice: Choice): string {
  return choice.limited ? 'length' : 'stop'
}

/** llama-server reports the first choice's numbers for all of them. */
export function numbers (choices: readonly Choice[]): object {
  const [first] = choices
  return first === undefined ? {} : { usage: usageJson(first.measured), timings: timingsJson(first.measured) }
}
