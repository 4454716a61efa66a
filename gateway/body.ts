import { isAscii } from 'node:buffer'
import type { Body } from '../policies/contract.js'

type Json = Readonly<Record<string, unknown>>

class ParsedBody implements Body {
  readonly json: Json
  #bytes: Buffer | undefined

  constructor (json: Json, bytes?: Buffer) {
    this.json = json
    this.#bytes = bytes
  }

  get bytes (): Buffer {
    this.#bytes ??= Buffer.from(JSON.stringify(this.json))
    return this.#bytes
  }

  withJson (json: Json): Body {
    return new ParsedBody(json)
  }
}

/**
 * Parses a request body once and keeps its bytes. ASCII bytes are decoded as latin1, which is faster and cannot differ.
 * @throws SyntaxError with a message for the client, when it is not a JSON object
 */
export function parseBody (bytes: Buffer): Body {
  if (bytes.length === 0) throw new SyntaxError('the request has no body; send a JSON object')
  let json: unknown
  try {
    json = JSON.parse(isAscii(bytes) ? bytes.toString('latin1') : bytes.toString('utf8'))
  } catch (error) {
    throw new SyntaxError(`the request body is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (!isObject(json)) throw new SyntaxError(`the request body must be a JSON object, got ${Array.isArray(json) ? 'an array' : json === null ? 'null' : `a ${typeof json}`}`)
  return new ParsedBody(json, bytes)
}

/** A body that is not JSON (multipart uploads): the bytes go upstream as they are, policies see an empty object. */
export function opaqueBody (bytes: Buffer): Body {
  return new ParsedBody({}, bytes)
}

function isObject (value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
