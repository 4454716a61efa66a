import { Type, type Static } from '@sinclair/typebox'

export const singleFlightSchema = Type.Object({
  maxBehindBytes: Type.Optional(Type.Integer({
    minimum: 65_536,
    default: 4 * 2 ** 20,
    description: 'Most bytes of an answer under way that are kept for calls that join later or read slower. An answer that grew longer is joined by nobody any more, and a reader that is further behind than this, while others are not, is cut off (slow-reader). Default: 4 MiB.'
  })),
  retryGraceMs: Type.Optional(Type.Number({
    minimum: 0,
    default: 3_000,
    description: 'How long upstream goes on for a call whose client gave up at the time limit that it had announced (X-Stainless-Timeout, sent by the SDKs of OpenAI and Anthropic), milliseconds: its retry is under way and takes over what runs. Every other call ends when the last one who waits for it left. Default: 3000.'
  })),
  sharedAmong: Type.Optional(Type.Union([Type.Literal('caller'), Type.Literal('all')], {
    default: 'caller',
    description: 'Whose identical calls are one: those of the same caller (by its key, or address where there are no keys), or of all. Default: caller.'
  }))
}, { additionalProperties: false, description: 'Identical calls at one time are asked upstream once.' })

export type SingleFlightOptions = Static<typeof singleFlightSchema>

export function withFlightDefaults (options: SingleFlightOptions): Required<SingleFlightOptions> {
  return { maxBehindBytes: 4 * 2 ** 20, retryGraceMs: 3_000, sharedAmong: 'caller', ...options }
}
