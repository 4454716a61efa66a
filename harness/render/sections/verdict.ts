import { headline } from '../headline.js'
import { metricDefinition, metricLabel } from '../labels.js'
import { primaryContrast, YARDSTICK, yardstickText } from '../lookup.js'
import { html } from '../markup.js'
import type { Html } from '../markup.js'
import type { Result } from '../../types.js'

/** What was asked and what came out: enough for a reader with ten seconds. */
export function verdictSection (result: Result): Html {
  const { word, verdict, says, because } = headline(result)
  const primary = primaryContrast(result)
  const yardstick = yardstickText(result)
  const meaning = primary === undefined ? undefined : metricDefinition(primary.metric)
  return html`
<header>
<h1>${result.question}</h1>
<div class="verdict tone-${verdict === undefined || verdict === 'cannot say' ? 'open' : verdict}">
<div class="word">${word}</div>
<div class="numbers">${says}</div>
${because === '' ? undefined : html`<p>${because}</p>`}
${yardstick === undefined ? undefined : html`<p><b>${metricLabel(YARDSTICK)}:</b> ${yardstick}</p>`}
</div>
<dl>
${result.design === 'sweep'
? undefined
: result.conditions.map((condition) => html`<dt>${condition.id}</dt><dd>${condition.title}</dd>
`)}
${result.quiet ? html`<dt>quiet</dt><dd>the interference that this is meant against was left out: it should change nothing</dd>` : undefined}
${result.effects.map((effect) => html`<dt>effects</dt><dd>${effect}</dd>`)}
${primary === undefined || meaning === undefined ? undefined : html`<dt>${metricLabel(primary.metric)}</dt><dd>${meaning}</dd>`}
</dl>
</header>`
}
