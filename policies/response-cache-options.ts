import { Type, type Static } from '@sinclair/typebox'

export const responseCacheSchema = Type.Object({
  maxBytes: Type.Optional(Type.Integer({
    minimum: 65_536,
    default: 64 * 2 ** 20,
    description: 'Most memory of stored answers with their keys, bytes; those not asked for the longest are dropped first. Default: 64 MiB.'
  })),
  maxAnswerBytes: Type.Optional(Type.Integer({
    minimum: 1,
    default: 2 ** 20,
    description: 'Longest answer that is stored, bytes as sent: a stream has some 250 per token. Each call under way may hold as much beside maxBytes. Default: 1 MiB.'
  })),
  ttlSeconds: Type.Optional(Type.Number({
    exclusiveMinimum: 0,
    default: 3_600,
    description: 'How long an answer is given again, seconds. Default: one hour.'
  })),
  sharedAmong: Type.Optional(Type.Union([Type.Literal('caller'), Type.Literal('all')], {
    default: 'caller',
    description: 'Who gets a stored answer: the caller that it was made for (by its key, or address where there are no keys), or all. "all" lets a caller find out by the time of an answer what others asked. Default: caller.'
  }))
}, { additionalProperties: false, description: 'Answers a call that was asked before, and has but one answer, from memory.' })

export type ResponseCacheOptions = Static<typeof responseCacheSchema>

export function withCacheDefaults (options: ResponseCacheOptions): Required<ResponseCacheOptions> {
  return { maxBytes: 64 * 2 ** 20, maxAnswerBytes: 2 ** 20, ttlSeconds: 3_600, sharedAmong: 'caller', ...options }
}
