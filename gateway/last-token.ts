import type { Call } from '../policies/contract.js'
import { sureBound } from '../policies/need.js'
import type { StreamEnd } from './routes.js'

/** What marks an event that carries generated text. A quote inside a JSON string is escaped: no generated text looks like one. Parts of tool calls are not among them: they are not a token each. */
const textIn: Readonly<Record<StreamEnd, RegExp>> = {
  done: /"(?:content|reasoning_content|text)": ?"/,
  stop: /"content": ?"/,
  message_stop: /"type": ?"(?:text|thinking)_delta"/,
  'response.completed': /"type": ?"response\.(?:output_text|reasoning_text)\.delta"/
}

/** No event of a token is as long, characters. */
const MOST_OPEN = 4_096

/**
 * Counts the tokens of a stream by its events: llama-server sends one for each token that is whole text, none for a part of a character or of a stop word. So it counts too few
 * rather than too many, and then the last token is not seen coming.
 */
export class LastToken {
  readonly #text: RegExp
  #before: number
  /** Of an event, what came before the end of its chunk. */
  #open = ''

  private constructor (text: RegExp, before: number) {
    this.#text = text
    this.#before = before
  }

  /** Undefined where it cannot be told: several answers in one stream, no bound that llama-server is sure to obey, nothing before the last token, or events of progress, which look like tokens. */
  static of ({ path, need, body: { json } }: Pick<Call, 'path' | 'need' | 'body'>, end: StreamEnd): LastToken | undefined {
    const tokens = sureBound(path, json)
    if (need.places !== 1 || tokens < 2 || tokens === Infinity || json['return_progress'] === true) return undefined
    return new LastToken(textIn[end], tokens - 1)
  }

  /** Bytes of the stream, in order. @returns whether with them all tokens but the last one have come; true once */
  add (chunk: Buffer): boolean {
    if (this.#before <= 0) return false
    const events = (this.#open + chunk.toString('latin1')).split('\n\n')
    const open = events.pop() ?? ''
    this.#open = open.length > MOST_OPEN ? '' : open
    for (const event of events) if (this.#text.test(event)) this.#before--
    return this.#before <= 0
  }
}
