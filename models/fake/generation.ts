import { randomUUID } from 'node:crypto'
import type { AnswerFormat, Choice, FormatOptions } from './answer-format.js'
import { answerText, answerWord } from './answer-text.js'
import type { Core } from './core.js'
import { generationRequest, type GenerationRequest } from './generation-request.js'
import type { JsonRecord } from './json.js'
import type { Reply } from './reply.js'
import { Work } from './work.js'

/** Serves one call of a generation route: a task for each prompt, the answer in the route's format. */
export function generate (core: Core, reply: Reply, body: JsonRecord, isChat: boolean, formatOf: (options: FormatOptions) => AnswerFormat): void {
  const request = generationRequest(body, isChat, core.words, core.settings)
  const format = formatOf({
    id: `chatcmpl-${randomUUID().replaceAll('-', '')}`,
    createdS: Math.floor(Date.now() / 1000),
    model: core.settings.alias,
    includeUsage: request.includeUsage,
    timingsPerToken: request.timingsPerToken
  })
  new Generation(core, reply, request, format).submit()
}

class Generation {
  readonly #finished: Choice[] = []
  #failing = false
  readonly #work: Work

  constructor (readonly core: Core, readonly reply: Reply, readonly request: GenerationRequest, readonly format: AnswerFormat) {
    this.#work = new Work(core, reply)
  }

  submit (): void {
    const { request } = this
    request.prompts.forEach((prompt, promptIndex) => {
      this.#work.submit({
        promptIds: prompt.ids,
        maxTokens: request.maxTokens(prompt.ids.length),
        choices: request.choices,
        pinnedSlot: request.pinnedSlot,
        reusePrompt: request.reusePrompt
      }, {
        started: () => this.#started(),
        token: (choice, measured) => {
          if (!request.stream) return
          const index = promptIndex * request.choices + choice
          if (measured.predictedTokens === 1) this.#events(this.format.first(index, measured))
          const word = answerWord(prompt.ids, request.seed, measured.predictedTokens - 1)
          const [wordId = 0] = this.core.words.tokenize(word)
          this.#events([this.format.token(index, word, wordId, measured)])
        },
        ended: (choice, measured, slotId) => this.#ended({
          index: promptIndex * request.choices + choice,
          text: answerText(prompt.ids, request.seed, measured.predictedTokens),
          promptText: prompt.text,
          promptIds: prompt.ids,
          measured,
          slotId,
          limited: request.limited,
          maxTokens: request.maxTokens(prompt.ids.length),
          stream: request.stream,
          ignoreEos: request.ignoreEos
        }),
        failed: error => this.#work.fail(error, this.format.bareErrors)
      })
    })
    this.core.pace.kick()
  }

  #started (): void {
    const fault = this.reply.fault
    const isFull = fault?.kind === 'kv-full'
    if (isFull && fault.afterEvents === undefined) return this.#failAll()
    if (this.request.stream && !this.reply.streaming && !this.#silent) this.reply.openStream()
    if (isFull && fault.afterEvents === 0) this.#failAll()
  }

  get #silent (): boolean {
    return this.#work.over || this.#failing
  }

  #events (events: readonly unknown[]): void {
    for (const event of events) {
      if (this.#silent) return
      this.reply.event(event, this.format.named)
      const fault = this.reply.fault
      if (fault?.kind === 'kv-full' && fault.afterEvents === this.reply.events) this.#failAll()
    }
  }

  #ended (choice: Choice): void {
    if (this.#silent) return
    this.#finished.push(choice)
    if (this.request.stream) this.#events(this.format.last(choice))
    if (this.#finished.length < this.request.prompts.length * this.request.choices || this.#silent) return
    this.#work.finish(() => {
      if (!this.request.stream) {
        this.reply.json(this.format.whole(this.#finished.toSorted((a, b) => a.index - b.index)))
        return
      }
      if (this.format.done !== undefined) this.reply.line(this.format.done)
      this.reply.end()
    })
  }

  /** This call and all others that run, once the engine is not in the middle of a change. */
  #failAll (): void {
    this.#failing = true
    queueMicrotask(() => {
      this.core.engine.failRunning()
      this.core.pace.kick()
      this.core.changed()
    })
  }
}
