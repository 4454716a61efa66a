import { randomUUID } from 'node:crypto'
import type { AnswerFormat, Choice, FormatOptions } from './answer-format.js'
import { timingsJson } from './timings.js'

/** `/v1/responses`: OpenAI's newer route. Its stream has named events and ends with `response.completed`; there is no `[DONE]`. */
export function responsesFormat (options: FormatOptions): AnswerFormat {
  const [id, itemId] = [`resp_${bareUuid()}`, `msg_${bareUuid()}`]
  const begun = { id, object: 'response', status: 'in_progress' }
  return {
    done: undefined,
    named: true,
    bareErrors: false,
    first: () => [
      { type: 'response.created', response: begun },
      { type: 'response.in_progress', response: begun },
      { type: 'response.output_item.added', item: { content: [], id: itemId, role: 'assistant', status: 'in_progress', type: 'message' } },
      { type: 'response.content_part.added', item_id: itemId, part: { type: 'output_text', text: '' } }
    ],
    token: (_index, word) => ({ type: 'response.output_text.delta', item_id: itemId, delta: word }),
    last: choice => {
      const { item, part, usage } = parts(choice, itemId)
      const response = { id, object: 'response', created_at: options.createdS, status: 'completed', model: options.model, output: [item], usage }
      return [
        { type: 'response.output_text.done', item_id: itemId, text: choice.text },
        { type: 'response.content_part.done', item_id: itemId, part },
        { type: 'response.output_item.done', item },
        { type: 'response.completed', response, timings: timingsJson(choice.measured) }
      ]
    },
    whole: ([choice]) => {
      if (choice === undefined) return {}
      const { item, usage } = parts(choice, itemId)
      return {
        completed_at: options.createdS,
        created_at: options.createdS,
        id,
        model: options.model,
        object: 'response',
        output: [item],
        status: 'completed',
        usage
      }
    }
  }
}

function parts (choice: Choice, itemId: string) {
  const { promptTokens, cachedTokens, predictedTokens } = choice.measured
  const part = { type: 'output_text', annotations: [], logprobs: [], text: choice.text }
  return {
    part,
    item: { type: 'message', status: 'completed', id: itemId, content: [part], role: 'assistant' },
    usage: {
      input_tokens: promptTokens,
      output_tokens: predictedTokens,
      total_tokens: promptTokens + predictedTokens,
      input_tokens_details: { cached_tokens: cachedTokens }
    }
  }
}

function bareUuid (): string {
  return randomUUID().replaceAll('-', '')
}
