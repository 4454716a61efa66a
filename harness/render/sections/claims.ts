import { formatInterval, formatNumber, MISSING } from '../format.js'
import { whatWouldChange } from '../change.js'
import { documentsOf } from '../documents.js'
import { html } from '../markup.js'
import type { Html } from '../markup.js'
import type { Claim, Leg, Result } from '../../types.js'

const LEGS = [
  { key: 'application', title: 'Application', asks: 'what the user sees' },
  { key: 'os', title: 'Operating system', asks: 'a different tool sees it too' },
  { key: 'control', title: 'Control', asks: 'the likeliest rival explanation is ruled out' },
  { key: 'mechanism', title: 'Mechanism', asks: 'the cause itself moved as predicted' }
] as const

function legView (title: string, asks: string, leg: Leg): Html {
  const numbers = leg.value === null && leg.band === null ? undefined : html`<small>measured ${formatNumber(leg.value)}, predicted ${leg.band === null ? MISSING : formatInterval(leg.band)}; source: ${leg.source}</small>`
  return html`
<div class="leg tone-${leg.status}"><b>${title}</b> <span class="soft">(${asks})</span> <span class="badge">${leg.status}</span>${figuresOf(leg.statement)}${numbers ?? html`<small>source: ${leg.source}</small>`}</div>`
}

/** A leg of several figures is a list of them. */
function figuresOf (statement: string): Html {
  const figures = statement.split('; ')
  return figures.length === 1 ? html`<br>${statement}<br>` : html`<ul>${figures.map((figure) => html`<li>${figure}</li>`)}</ul>`
}

function claimView (claim: Claim): Html {
  const documents = documentsOf(claim.id)
  return html`
<h3><span class="badge tone-${claim.status.toLowerCase()}">${claim.status}</span> ${claim.statement}</h3>
<p class="soft">Predicted before the run: ${claim.predicted}</p>
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
<p class="soft">A claim is supported only when all four legs hold. A missing leg makes it unsupported, not “probably”.</p>
${result.claims.map(claimView)}
</section>`
}
