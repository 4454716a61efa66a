import { randomBytes } from 'node:crypto'

/** What names one answer among all: ids of completions, also in llama-server's messages, and of responses. Only these; other ids stay, an answer refers to them. */
const OWN_ID = /"id":\s*"((?:chatcmpl|cmpl|resp|msg)[-_])([A-Za-z0-9]+)"/
const STAMPS = /"(created|created_at|completed_at)":\s*\d+/g

/** `id`, or whole seconds at the answer's own time. */
type Fill = 'id' | number

/** A stored answer, cut up where each copy of it has something of its own. Unescaped quotes never stand in generated text, so only fields are found. */
export interface Template {
  /** Constant bytes, and between them what is filled in. */
  readonly parts: ReadonlyArray<Buffer | Fill>
  readonly idPrefix: string
  readonly idLength: number
  readonly bytes: number
}

/**
 * @param body a whole answer as upstream sent it
 * @param isStream comments of its event stream (where a call stands in a queue, that upstream still lives) are left out
 */
export function templateOf (body: Buffer, isStream: boolean): Template {
  const written = body.toString('latin1')
  const text = isStream ? written.split('\n\n').filter(event => !event.startsWith(':')).join('\n\n') : written
  const [, idPrefix = '', idRest = ''] = OWN_ID.exec(text) ?? []
  const places = [...placesOf(text, idPrefix + idRest)].sort((a, b) => a.from - b.from)
  const parts: Array<Buffer | Fill> = []
  let at = 0
  for (const { from, to, fill } of places) {
    parts.push(Buffer.from(text.slice(at, from), 'latin1'), fill)
    at = to
  }
  parts.push(Buffer.from(text.slice(at), 'latin1'))
  return { parts, idPrefix, idLength: idRest.length, bytes: text.length }
}

/** The answer once more, under an id of its own and with its times moved to now. */
export function replay ({ parts, idPrefix, idLength }: Template, ageMs: number): Buffer {
  const id = Buffer.from(idPrefix + randomBytes(idLength).toString('hex').slice(0, idLength))
  const laterSeconds = Math.round(ageMs / 1e3)
  return Buffer.concat(parts.map(part => typeof part === 'object' ? part : part === 'id' ? id : Buffer.from(String(part + laterSeconds))))
}

interface Place {
  readonly from: number
  readonly to: number
  readonly fill: Fill
}

function * placesOf (text: string, id: string): Generator<Place> {
  if (id !== '') {
    const quoted = `"${id}"`
    for (let at = text.indexOf(quoted); at >= 0; at = text.indexOf(quoted, at + quoted.length)) yield { from: at + 1, to: at + quoted.length - 1, fill: 'id' }
  }
  for (const found of text.matchAll(STAMPS)) {
    const digits = /\d+$/.exec(found[0])?.[0] ?? ''
    const to = found.index + found[0].length
    yield { from: to - digits.length, to, fill: Number(digits) }
  }
}
