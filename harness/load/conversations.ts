import { nowMs } from '../clock.js'
import type { CallSample, Conversations } from '../types.js'
import type { ChatClient } from './client.js'
import { startPatience } from './patience.js'
import { makePrompt } from './prompts.js'
import { deriveSeed, makeRandom } from './random.js'
import { waitUntil } from './wait.js'

export interface ConversationsOptions extends Conversations {
  readonly client: ChatClient
  /** Class of its calls in the samples. */
  readonly cls: string
  readonly seed: number
  /** Monotonic milliseconds: no turn begins from then on, and calls under way become `unanswered`. */
  readonly untilMs: number
  readonly drainUntilMs: number
  readonly onSend?: () => void
  readonly onSample: (sample: CallSample) => void
  readonly signal: AbortSignal
}

interface Message {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** Words are drawn by conversation and turn: more turns than this no conversation has. */
const MOST_TURNS = 1_000
/** Of the common instructions. */
const SYSTEM = -1

/**
 * Clients that talk, each with the whole history in every call: the next turn comes when the answer was read and thought about. Who has had its turns begins another
 * conversation. They begin one after the other, spread over the first time of thinking.
 */
export async function runConversations (options: ConversationsOptions): Promise<void> {
  const { count, thinkSeconds, thinkSpread, untilMs, drainUntilMs, signal } = options
  const patience = startPatience(drainUntilMs, signal)
  const startMs = nowMs()
  let seq = 0

  async function talk (index: number): Promise<void> {
    const random = makeRandom(options.seed, index)
    const pause = async (seconds: number): Promise<boolean> => await waitUntil(nowMs() + seconds * 1000, { spin: false, signal: patience.signal }) && nowMs() < untilMs
    if (!await waitUntil(startMs + index * thinkSeconds * 1000 / count, { spin: false, signal: patience.signal })) return
    for (let conversation = index; nowMs() < untilMs; conversation += count) {
      const messages: Message[] = options.systemWords > 0 ? [{ role: 'system', content: makePrompt(deriveSeed(options.seed, SYSTEM), options.systemWords) }] : []
      const common = messages.length
      for (let turn = 0; turn < options.turns; turn++) {
        if (!options.related) messages.splice(common)
        messages.push({ role: 'user', content: makePrompt(deriveSeed(options.seed, conversation * MOST_TURNS + turn), wordsOf(options, turn)) })
        let answer = ''
        const prepared = { phase: 'load' as const, seq: seq++, cls: options.cls, body: bodyOf(messages, options.answerTokens), conversation, turn, onText: (text: string) => { answer = text } }
        const sent = options.client.call(prepared, nowMs(), patience.signal)
        options.onSend?.()
        const sample = await sent
        options.onSample(sample)
        if (!await pause(thinkSeconds * (1 + thinkSpread * (2 * random() - 1)))) return
        // Whoever got no answer begins anew.
        if (sample.outcome !== 'answered') break
        messages.push({ role: 'assistant', content: answer })
      }
    }
  }
  await Promise.all(Array.from({ length: count }, (_, index) => talk(index)))
  await patience.close()
}

/** Unrelated prompts are as long as the conversation would be by then. */
function wordsOf ({ firstWords, turnWords, answerTokens, related }: Conversations, turn: number): number {
  if (related) return turn === 0 ? firstWords : turnWords
  return firstWords + turn * (turnWords + answerTokens)
}

/** Exactly `maxTokens` tokens out; what a slot has of the prompt is used. */
function bodyOf (messages: readonly Message[], maxTokens: number): string {
  return JSON.stringify({ messages, max_tokens: maxTokens, ignore_eos: true, temperature: 0, cache_prompt: true, stream: true, stream_options: { include_usage: true } })
}
