/** A tagged template that escapes by default. */

/** Text that is already HTML. Only `html` and `trusted` make it. */
export class Html {
  readonly #text: string
  constructor (text: string) {
    this.#text = text
  }

  toString (): string {
    return this.#text
  }
}

export type Part = Html | string | number | undefined | readonly Part[]

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** For text and for attribute values in quotes; control characters become `�`. */
export function escapeHtml (text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '').replace(/[^\P{Cc}\n\t]/gu, '\uFFFD')
}

function render (part: Part): string {
  if (part === undefined) return ''
  if (part instanceof Html) return part.toString()
  if (typeof part === 'string') return escapeHtml(part)
  if (typeof part === 'number') return String(part)
  return part.map(render).join('')
}

export function html (strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.reduce((page, text, index) => page + render(parts[index - 1]) + text))
}

/** Marks text of our own making (SVG, CSS) as HTML. Never for anything that was read. */
export function trusted (text: string): Html {
  return new Html(text)
}
