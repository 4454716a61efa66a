import { Type, type Static } from '@sinclair/typebox'

/**
 * What can be capped, for all calls, for a route and for a caller. Without the keyword `default`: ajv would write it into the latter two,
 * where an absent cap is the general one.
 */
const caps = {
  maxPromptTokens: Type.Optional(Type.Integer({
    minimum: 1,
    description: 'Longest prompt, tokens after the model\'s template. Default: the context of a slot less minOutputTokens.'
  })),
  maxPromptChars: Type.Optional(Type.Integer({
    minimum: 1,
    description: 'Longest prompt, characters (UTF-16 units) of its text: messages, system prompt, tools; media and token ids have none. Of several prompts the longest. Default: no cap.'
  })),
  maxTurns: Type.Optional(Type.Integer({
    minimum: 1,
    description: 'Most messages of a conversation, system and developer messages not counted. Default: no cap.'
  })),
  maxImages: Type.Optional(Type.Integer({
    minimum: 0,
    description: 'Most images in a call: image parts of messages and entries of multimodal_data. Default: no cap.'
  })),
  maxTokens: Type.Optional(Type.Integer({
    minimum: 1,
    description: 'Most tokens that a call may generate; larger wishes are reduced to it, and it is set where the client set nothing. Default: 1024.'
  })),
  minOutputTokens: Type.Optional(Type.Integer({
    minimum: 1,
    description: 'Tokens of a slot\'s context that must be left for the answer. Default: 1.'
  })),
  maxOutputSeconds: Type.Optional(Type.Number({
    exclusiveMinimum: 0,
    description: 'Longest generation, seconds from the first byte of the answer; without a stream from sending the call to llama-server, so that its prefill counts and its wait in a queue does not. ' +
      'A stream is cut then, with an error event; without a stream it is 504 runaway. Default: no cap.'
  })),
  maxBodyBytes: Type.Optional(Type.Integer({
    minimum: 1,
    description: 'Largest request body, bytes (413 body-too-large). Default: whatever the gateway\'s own body limit lets through.'
  }))
}

const someCaps = Type.Object(caps, { additionalProperties: false })

export type CapOptions = Readonly<Static<typeof someCaps>>
export type CapName = keyof CapOptions

export function isCapName (name: string): name is CapName {
  return name in caps
}

/** Every route whose calls come here, without `/v1`. */
const routes = [
  '/chat/completions', '/completions', '/completion', '/infill', '/responses', '/messages', '/api/chat', '/audio/transcriptions',
  '/predict', '/embeddings', '/embedding', '/rerank', '/reranking'
]

type CapsByName = Readonly<Record<string, CapOptions>>

const perRoute = Type.Unsafe<CapsByName>(Type.Object(
  Object.fromEntries(routes.flatMap(name => [name, `/v1${name}`]).map(path => [path, Type.Optional(someCaps)])),
  {
    additionalProperties: false,
    description: 'Caps by path without query; they go over the general ones, each by itself. With or without /v1 is the same route, and the spelling of the request goes first. Default: none.'
  }
))

const perCaller = Type.Unsafe<CapsByName>(Type.Record(Type.String(), someCaps, {
  description: 'Caps by caller: the name of an API key, or the address where there are no keys; they go over those of the route, each by itself. Default: none.'
}))

export const promptCapSchema = Type.Object({
  ...caps,
  perRoute: Type.Optional(perRoute),
  perCaller: Type.Optional(perCaller),
  whenTooLong: Type.Optional(Type.Union([Type.Literal('reject'), Type.Literal('truncate')], {
    default: 'reject',
    description: 'What becomes of a prompt above maxPromptTokens, maxPromptChars, maxTurns or maxImages. "reject": 400 prompt-cap. "truncate": a conversation loses whole oldest turns until it fits ' +
      '(system and developer messages and the last turn stay, a tool\'s result stays with its call), said by X-Weir-Truncated; what is no conversation, or does not fit even so, is refused.'
  }))
}, { additionalProperties: false, description: 'Refuses prompts that cannot fit before they wait, and bounds how much a call may generate.' })

export type PromptCapOptions = Readonly<Static<typeof promptCapSchema>>
