import { formatP, formatRatio, formatRatioInterval } from '../format.js'
import { allDescribed, contrastSubject, contrastValues } from '../headline.js'
import { metricLabel, populationLabel, verdictWord } from '../labels.js'
import { unitsText } from '../lookup.js'
import { html } from '../markup.js'
import type { Html } from '../markup.js'
import type { Contrast, Result } from '../../types.js'

function row (result: Result, contrast: Contrast): Html {
  const tone = contrast.verdict === 'cannot say' ? 'open' : contrast.verdict
  return html`<tr><td class="text">${contrastSubject(result, contrast)}${contrast.primary ? html`<b>${metricLabel(contrast.metric)}</b> (primary)` : metricLabel(contrast.metric)}, ${populationLabel(contrast.population)}</td>
<td class="number">${contrastValues(result, contrast)}</td><td class="number">${formatRatio(contrast.ratio)}</td><td class="number">${formatRatioInterval(contrast.ci95)}</td>
<td class="number">${formatP(contrast.p)}</td><td class="number">${formatP(contrast.pAdjusted)}</td><td class="number">${unitsText(contrast)}</td>
<td class="text"><span class="badge tone-${tone}">${verdictWord(contrast.verdict)}</span>${contrast.because === '' ? undefined : html`<small>${contrast.because}</small>`}</td></tr>`
}

/** Too few repeats for a test: the ratios alone, and why once. */
function describedSection (result: Result): Html {
  return html`
<section id="contrasts"><h2>Contrasts</h2>
<div class="scroll"><table>
<thead><tr><th class="text">outcome</th><th>ratio</th><th>n</th></tr></thead>
<tbody>${result.contrasts.map((contrast) => html`<tr><td class="text">${contrastSubject(result, contrast)}${metricLabel(contrast.metric)}, ${populationLabel(contrast.population)}</td><td class="number">${formatRatio(contrast.ratio)}</td><td class="number">${unitsText(contrast)}</td></tr>`)}</tbody></table></div>
<p class="soft">Described, not tested: a test needs 6 pairs, or 8 repeats of a sweep. The ratio is that of blocks of one repeat.</p>
</section>`
}

function familyText ({ design }: Result): string {
  if (design === 'sweep') return 'A sweep has no primary outcome: all ratios are one family, adjusted for their number (Holm), and are judged from 8 repeats on.'
  const primary = 'Only the primary outcome, named in the plan before the run, gives the verdict; the others are secondary and adjusted for their number (Holm).'
  return design === 'factorial' ? `${primary} Main effects and interaction are a family of their own: an interaction of 1 means that each does beside the other what it does alone.` : primary
}

export function contrastsSection (result: Result): Html | undefined {
  if (result.contrasts.length === 0) return undefined
  if (allDescribed(result)) return describedSection(result)
  const ordered = [...result.contrasts].sort((a, b) => Number(b.primary) - Number(a.primary))
  return html`
<section id="contrasts"><h2>Contrasts</h2>
<div class="scroll"><table>
<thead><tr><th class="text">outcome</th><th>${result.design === 'pairs' ? 'before → after' : 'values'}<br>(pooled)</th><th>ratio</th><th>95 %</th><th>p</th><th>p (Holm)</th><th>n</th><th class="text">verdict</th></tr></thead>
<tbody>${ordered.map((contrast) => row(result, contrast))}</tbody></table></div>
<p class="soft">The unit is the block or the pair of blocks, not the call: a ratio is made block by block and may differ from that of the values beside it, which are over all calls or blocks of a condition. ${familyText(result)}</p>
</section>`
}
