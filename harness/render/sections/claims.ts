import { formatNumber, MISSING, NBSP } from '../format.js'
import { whatWouldChange } from '../change.js'
import { documentsOf } from '../documents.js'
import { bandText } from '../../analyse/claims/leg.js'
import { html } from '../markup.js'
import type { Html } from '../markup.js'
import type { Claim, Leg, LegFigure, Result } from '../../types.js'

const LEGS = [
  { key: 'application', title: 'Application', asks: 'what the user sees' },
  { key: 'os', title: 'Operating system', asks: 'a different tool sees it too' },
  { key: 'control', title: 'Control', asks: 'the likeliest rival explanation is ruled out' },
  { key: 'mechanism', title: 'Mechanism', asks: 'the cause itself moved as predicted' }
] as const

/** A leg's figures as a table; what several conditions were asked stands once. */
function legView (title: string, asks: string, { status, figures }: Leg): Html {
  const shown = { of: figures.some(({ of }) => of !== undefined), compared: figures.some(({ compared }) => compared !== undefined) }
  return html`
<div class="leg tone-${status}"><b>${title}</b> <span class="soft">(${asks})</span> <span class="badge">${status}</span>
<div class="scroll"><table class="dense figures"><thead><tr><th class="text">figure</th>${shown.of ? html`<th class="text">of</th>` : undefined}${shown.compared ? html`<th>before → after</th>` : undefined}<th>seen</th><th>predicted</th><th class="text">by</th></tr></thead>
<tbody>${figures.map((figure, i) => figureRow(figure, figures[i - 1], figures.slice(i), shown))}</tbody></table></div></div>`
}

/** @param rest from this figure on */
function figureRow ({ what, of, source, compared, value, band, status, because }: LegFigure, before: LegFigure | undefined, rest: readonly LegFigure[], shown: { readonly of: boolean, readonly compared: boolean }): Html {
  const isSame = (other: LegFigure | undefined): boolean => other !== undefined && other.what === what && other.source === source
  const other = rest.findIndex((each) => !isSame(each))
  const rows = other < 0 ? rest.length : other
  const once = (text: string): Html | undefined => isSame(before) ? undefined : html`<td class="text" rowspan="${rows}">${text}</td>`
  const end = status === 'holds' ? undefined : html` <span class="badge tone-${status}">${status === 'fails' ? 'outside' : because ?? status}</span>`
  const sides = compared === undefined ? '' : `${formatNumber(compared[0])}${NBSP}→${NBSP}${formatNumber(compared[1])}`
  return html`<tr>${once(what)}${shown.of ? html`<td class="text condition">${of ?? ''}</td>` : undefined}${shown.compared ? html`<td class="number">${sides}</td>` : undefined}<td class="number">${formatNumber(value)}</td><td class="number">${band === null ? MISSING : bandText({ lo: band[0], hi: band[1] })}${end}</td>${once(source)}</tr>`
}

function claimView (claim: Claim): Html {
  const documents = documentsOf(claim.id)
  return html`
<h3><span class="badge tone-${claim.status.toLowerCase()}">${claim.status}</span> ${claim.statement}</h3>
${LEGS.map(({ key, title, asks }) => legView(title, asks, claim[key]))}
<p><b>Mechanism.</b> ${claim.explanation}</p>
${documents === undefined ? undefined : html`<p class="soft">Where it is written down: ${documents.join('; ')}.</p>`}
<p><b>What would change this conclusion.</b></p>
<ul>${whatWouldChange(claim).map((line) => html`<li>${line}</li>`)}</ul>`
}

export function claimsSection (result: Result): Html | undefined {
  if (result.claims.length === 0) return undefined
  return html`
<section id="claims"><h2>Why: the claim and its four legs</h2>
<p class="soft">A claim is supported only when all four legs hold. A missing leg makes it unsupported, not “probably”. Before → after: means or medians over the blocks of the two; what is seen is made block by block or pair by pair, and may differ from their ratio.</p>
${result.claims.map(claimView)}
</section>`
}
