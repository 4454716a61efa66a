import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { openGrant } from '../policies/contract.js'
import { hostRoutes } from './routes.js'

const closed = { additionalProperties: false } as const

const listen = Type.Object({
  host: Type.String({ default: '127.0.0.1', description: 'Address to listen on. Anything but a loopback address needs apiKeys.' }),
  port: Type.Integer({ minimum: 0, maximum: 65535, default: 8080, description: 'TCP port; 0: any free one.' }),
  trustedProxies: Type.Array(Type.String(), {
    default: [],
    description: 'Addresses or ranges (192.0.2.7, 10.0.0.0/8, fd00::/8) of proxies whose X-Forwarded-For names the client. From everybody else the header changes nothing.'
  })
}, { ...closed, default: {} })

const upstream = Type.Object({
  url: Type.String({ pattern: '^https?://', description: 'Origin of a running llama-server, e.g. http://127.0.0.1:8081.' }),
  apiKey: Type.Optional(Type.String({ minLength: 1, description: 'llama-server\'s --api-key. Sent in place of what the client sent. Default: the environment\'s LLAMA_API_KEY.' }))
}, closed)

const server = Type.Object({
  model: Type.Optional(Type.String({ minLength: 1, description: 'Name in the model catalogue. Default: the catalogue\'s default.' })),
  slots: Type.Integer({ minimum: 1, maximum: 1024, default: 4, description: 'llama-server -np.' }),
  threads: Type.Optional(Type.Integer({ minimum: 1, maximum: 1024, description: 'llama-server -t. Default: one less than the CPUs, at least 1.' })),
  slotContextTokens: Type.Integer({ minimum: 64, default: 2048, description: 'Context of one slot, tokens.' }),
  batchTokens: Type.Integer({ minimum: 1, default: 256, description: 'llama-server -b, tokens: a running prefill is not interrupted within one batch.' }),
  cacheRamMib: Type.Integer({ minimum: 0, default: 0, description: 'llama-server --cache-ram, MiB: prompts that lost their slot are kept in memory. Its own default of 8192 is more than small machines have. Default: 0, none.' }),
  extraArgs: Type.Array(Type.String({ minLength: 1 }), { default: [], description: 'Further arguments of llama-server, each word an entry, e.g. ["--embeddings", "--pooling", "mean"]. Not those that are set here or by Weir itself.' }),
  binary: Type.Optional(Type.String({ minLength: 1, description: 'Path of llama-server. Default: LLAMA_SERVER, then PATH, then Weir\'s cache.' }))
}, { ...closed, default: {} })

const limits = Type.Object({
  bodyBytes: Type.Integer({ minimum: 1024, maximum: 2 ** 31 - 1, default: 32 * 2 ** 20, description: 'Largest request body, bytes; a larger one gets 413.' }),
  connectTimeoutMs: Type.Integer({ minimum: 1, default: 10_000, description: 'To open a connection to llama-server, milliseconds.' }),
  firstByteTimeoutMs: Type.Integer({ minimum: 1, default: 30 * 60_000, description: 'From sending a call to the first byte of its answer, milliseconds.' }),
  idleTimeoutMs: Type.Integer({ minimum: 1, default: 5 * 60_000, description: 'Between two chunks of an answer, milliseconds.' }),
  totalTimeoutMs: Type.Optional(Type.Integer({ minimum: 1, description: 'From sending a call to the end of its answer, milliseconds. Default: none.' })),
  stallTimeoutMs: Type.Integer({
    minimum: 1000,
    default: 5 * 60_000,
    description: 'Calls run and for this long, milliseconds, neither a byte of an answer nor a batch of llama-server came: /readyz says 503 `stalled`, and the log warns. Must be longer than its longest batch (-b) takes.'
  }),
  drainTimeoutMs: Type.Integer({ minimum: 0, default: 30_000, description: 'How long running calls may go on after SIGTERM, milliseconds.' })
}, { ...closed, default: {} })

const priority = { minimum: 0, maximum: 9 } as const

const apiKey = Type.Object({
  name: Type.String({ minLength: 1, description: 'Who holds the key: the caller in records and policies.' }),
  sha256: Type.String({
    pattern: '^[0-9a-f]{64}$',
    description: 'SHA-256 of the key in lower-case hexadecimal, so that the file holds no secret. Take a long random key: a short one can be found from its hash.'
  }),
  weight: Type.Number({ exclusiveMinimum: 0, default: openGrant.weight, description: 'Share of the server among callers: 2 gets twice the tokens of 1. Default: 1.' }),
  bestPriority: Type.Integer({ ...priority, default: openGrant.bestPriority, description: 'Best priority class that its calls may ask for; 0 is served first. Default: 0.' }),
  usualPriority: Type.Optional(Type.Integer({ ...priority, description: 'Priority class of calls that ask for none; not better than bestPriority. Default: 1, or bestPriority where that is worse.' })),
  maxPlaces: Type.Optional(Type.Integer({ minimum: 1, description: 'Most places that its calls may hold at a time. Default: as many as there are.' })),
  admin: Type.Boolean({ default: false, description: 'It may use the routes of llama-server that show or change what all share: /metrics, /slots, /lora-adapters, POST /props, /models. Default: false.' })
}, closed)

const cors = Type.Object({
  origins: Type.Union([Type.Literal('*'), Type.Array(Type.String())], {
    description: 'Origins (https://chat.example.org) whose pages may call this gateway from a browser and read its answers; "*": the pages of all origins.'
  }),
  maxAgeSeconds: Type.Integer({ minimum: 0, maximum: 86_400, default: 600, description: 'How long a browser may keep the answer to its preflight, seconds.' })
}, closed)

const log = Type.Object({
  file: Type.Optional(Type.String({ minLength: 1, description: 'File to append to. Default: stdout.' })),
  level: Type.Union([Type.Literal('debug'), Type.Literal('info'), Type.Literal('warn'), Type.Literal('error'), Type.Literal('silent')], { default: 'info' })
}, { ...closed, default: {} })

const state = Type.Object({
  file: Type.Optional(Type.String({ minLength: 1, description: 'File that keeps over a restart what was learned: what calls cost on this model. Default: none, it is learned again.' }))
}, { ...closed, default: {} })

export const configSchema = Type.Object({
  listen,
  upstream: Type.Optional(upstream),
  server,
  policies: Type.Array(Type.Object({
    name: Type.String(),
    mode: Type.Optional(Type.Union([Type.Literal('on'), Type.Literal('shadow')], { description: '"shadow": it decides, the record and the metrics say what, and nothing is done. Default: on.' }))
  }), {
    default: [{ name: 'prompt-cap' }, { name: 'admission' }],
    description: 'Policies in run order, first = outermost, each with its name and its own options.'
  }),
  apiKeys: Type.Array(apiKey, { default: [], description: 'Keys that callers must present; none: everybody may call.' }),
  cors: Type.Optional(cors),
  allowRoutes: Type.Array(Type.Union(hostRoutes.map(path => Type.Literal(path))), {
    default: [],
    description: 'Routes that act on the server\'s host or reach into its network, and are blocked unless they are named here.'
  }),
  limits,
  log,
  state
}, closed)

/** A checked configuration with its defaults filled in. */
export type Config = Static<typeof configSchema>
