import { Type, type Static } from '@sinclair/typebox'

export const batchingSchema = Type.Object({
  windowMs: Type.Optional(Type.Number({
    minimum: 0,
    maximum: 100,
    default: 10,
    description: 'Longest that a call waits for others to go with it, milliseconds; it waits only while another embedding is at upstream. Default: 10.'
  })),
  maxItems: Type.Optional(Type.Integer({
    minimum: 2,
    maximum: 1_024,
    default: 16,
    description: 'Most inputs of a joined call. Default: 16.'
  })),
  maxTokens: Type.Optional(Type.Integer({
    minimum: 1,
    default: 512,
    description: 'Most tokens of a joined call, estimated by bytes; llama-server\'s --ubatch-size is a good value, and is its default. Default: 512.'
  })),
  minGain: Type.Optional(Type.Number({
    minimum: 1,
    default: 1.05,
    description: 'Inputs of a length are joined where the server\'s time for one alone ÷ the same joined, as learned, is at least this by more than chance. Default: 1.05.'
  })),
  when: Type.Optional(Type.Union([Type.Literal('gain'), Type.Literal('always')], {
    default: 'gain',
    description: 'gain: joined where that is predicted to be faster. always: whatever it costs; for measurements. Default: gain.'
  }))
}, { additionalProperties: false, description: 'Small embeddings that are asked at one time go upstream as one call.' })

export type BatchingOptions = Static<typeof batchingSchema>

export function withBatchingDefaults (options: BatchingOptions): Required<BatchingOptions> {
  return { windowMs: 10, maxItems: 16, maxTokens: 512, minGain: 1.05, when: 'gain', ...options }
}
