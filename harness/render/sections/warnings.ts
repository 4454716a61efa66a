import { allWarnings } from '../headline.js'
import { html } from '../markup.js'
import type { Html } from '../markup.js'
import type { Result } from '../../types.js'

export function warningsSection (result: Result): Html | undefined {
  const warnings = allWarnings(result)
  if (warnings.length === 0) return undefined
  return html`
<div class="warnings"><b>Read with care</b>
<ul>${warnings.map((warning) => html`<li>${warning}</li>`)}</ul></div>`
}
