import type { Core } from './core.js'
import { badRequest } from './error-body.js'
import { manyPrompts } from './generation-request.js'
import { numberIn, type JsonRecord } from './json.js'
import type { Reply } from './reply.js'
import type { Measured } from './timings.js'
import { Work } from './work.js'

const DIMENSIONS = 8

/** `/embedding(s)`: llama-server's own shape. */
export function embedding (core: Core, reply: Reply, body: JsonRecord): void {
  evaluate(core, reply, body, inputsOf(core, body), measured =>
    measured.map((_, index) => ({ index, embedding: [vector(index)] })))
}

/** `/v1/embeddings`: OpenAI's. */
export function openaiEmbeddings (core: Core, reply: Reply, body: JsonRecord): void {
  evaluate(core, reply, body, inputsOf(core, body), measured => ({
    model: core.settings.alias,
    object: 'list',
    usage: promptUsage(measured),
    data: measured.map((_, index) => ({ embedding: vector(index), index, object: 'embedding' }))
  }))
}

/** `/rerank`: one task for each document. The fake's scores fall with the position. */
export function rerank (core: Core, reply: Reply, body: JsonRecord): void {
  const { query, documents } = body
  if (typeof query !== 'string') throw badRequest('"query" must be provided')
  if (!Array.isArray(documents) || documents.length === 0) throw badRequest('"documents" must be a non-empty string array')
  const pairs = documents.map(document => core.words.tokenize(`${query} ${String(document)}`, true))
  evaluate(core, reply, body, pairs, measured => ({
    model: core.settings.alias,
    object: 'list',
    usage: promptUsage(measured),
    results: measured.map((_, index) => ({ index, relevance_score: 1 / (index + 1) }))
      .slice(0, numberIn(body, 'top_n', documents.length))
  }))
}

function inputsOf (core: Core, body: JsonRecord): ReadonlyArray<readonly number[]> {
  const input = body['input'] ?? body['content']
  if (input === undefined) throw badRequest('"input" or "content" must be provided')
  return manyPrompts(input, core.words).map(prompt => prompt.ids)
}

function evaluate (core: Core, reply: Reply, body: JsonRecord, inputs: ReadonlyArray<readonly number[]>, answer: (measured: readonly Measured[]) => unknown): void {
  const work = new Work(core, reply)
  const done = new Map<number, Measured>()
  inputs.forEach((promptIds, index) => {
    work.submit({ promptIds, maxTokens: 0, choices: 1, pinnedSlot: undefined, reusePrompt: body['cache_prompt'] !== false }, {
      started: () => {},
      token: () => {},
      ended: (_choice, measured) => {
        done.set(index, measured)
        if (done.size === inputs.length && !work.over) {
          const inOrder = [...done].toSorted(([a], [b]) => a - b).map(([, measured]) => measured)
          work.finish(() => reply.json(answer(inOrder)))
        }
      },
      failed: error => work.fail(error)
    })
  })
  core.pace.kick()
}

function promptUsage (measured: readonly Measured[]) {
  const tokens = measured.reduce((sum, one) => sum + one.promptTokens, 0)
  return { prompt_tokens: tokens, total_tokens: tokens }
}

function vector (index: number): number[] {
  return Array.from({ length: DIMENSIONS }, (_, dimension) => dimension === index % DIMENSIONS ? 1 : 0)
}
