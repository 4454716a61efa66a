import type { AnswerFormat, Choice, FormatOptions } from './answer-format.js'
import type { Measured } from './timings.js'

/** `/v1/messages`: Anthropic's route. Its stream has named events and ends with `message_stop`. */
export function messagesFormat (options: FormatOptions): AnswerFormat {
  const message = (content: readonly unknown[], stopReason: string | null, measured: Measured, outputTokens: number) => ({
    id: options.id,
    type: 'message',
    role: 'assistant',
    content,
    model: options.model,
    stop_reason: stopReason,
    stop_sequence: null,
    usage: {
      cache_read_input_tokens: measured.cachedTokens,
      input_tokens: measured.promptTokens - measured.cachedTokens,
      output_tokens: outputTokens
    }
  })
  return {
    done: undefined,
    named: true,
    bareErrors: true,
    first: (index, measured) => [
      { type: 'message_start', message: message([], null, measured, 0) },
      { type: 'content_block_start', index, content_block: { type: 'text', text: '' } }
    ],
    token: (index, word) => ({ type: 'content_block_delta', index, delta: { type: 'text_delta', text: word } }),
    last: choice => [
      { type: 'content_block_stop', index: choice.index },
      { type: 'message_delta', delta: { stop_reason: stopReason(choice), stop_sequence: null }, usage: { output_tokens: choice.measured.predictedTokens } },
      { type: 'message_stop' }
    ],
    whole: ([choice]) => choice === undefined
      ? {}
      : message([{ type: 'text', text: choice.text }], stopReason(choice), choice.measured, choice.measured.predictedTokens)
  }
}

function stopReason (choice: Choice): string {
  return choice.limited ? 'max_tokens' : 'end_turn'
}
