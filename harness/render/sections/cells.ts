import { floorOf } from '../../stats/percentile.js'
import { formatCount, formatInterval, formatNumber } from '../format.js'
import { PERCENTILES } from '../labels.js'
import { percentileText, rowLabel, rows, whyMissing } from '../lookup.js'
import { html } from '../markup.js'
import type { Row } from '../lookup.js'
import type { Html } from '../markup.js'
import type { Percentile } from '../labels.js'
import type { Cell, Result } from '../../types.js'

function percentileCell (cell: Cell, percentile: Percentile): Html {
  const interval = cell.ci95?.[percentile]
  const why = whyMissing(cell, percentile)
  return html`<td class="number">${percentileText(cell, percentile)}${interval === undefined ? undefined : html`<small>${formatInterval(interval)}</small>`}${why === undefined ? undefined : html`<small>${why}</small>`}</td>`
}

function rowBody (row: Row): Html {
  return html`<tbody class="row">
<tr><th class="text" scope="rowgroup" colspan="7">${rowLabel(row)}</th></tr>${row.cells.map((cell) => html`
<tr class="condition-${cell.condition}"><td class="text condition">${cell.condition}</td>${PERCENTILES.map((percentile) => percentileCell(cell, percentile))}<td class="number">${formatCount(cell.n)}</td><td class="number">${formatNumber(cell.nEff)}</td><td class="number">${formatNumber(cell.mean)}</td></tr>`)}
</tbody>`
}

export function cellsSection (result: Result): Html {
  const all = rows(result)
  const floors = PERCENTILES.map((percentile) => `${percentile} ${floorOf[percentile]}`).join(', ')
  return html`
<section id="cells"><h2>${result.design === 'pairs' ? 'Before and after' : 'All figures'}</h2>
${all.length === 0
? html`<p>No cell could be computed from the evidence.</p>`
: html`<div class="scroll"><table>
<thead><tr><th class="text">condition</th>${PERCENTILES.map((percentile) => html`<th>${percentile}</th>`)}<th>n</th><th>n_eff</th><th>mean</th></tr></thead>
${all.map(rowBody)}
</table></div>`}
<p class="soft">Small figures under a percentile: its 95 % interval, by resampling whole blocks. n_eff is n reduced for calls that are not independent of each other;
a percentile needs n_eff of at least ${floors}, below that it is “–” with the reason. “&gt; x” lies among calls that had no answer when the run stopped waiting: the true value is above x.
<b>all offered</b> counts refused, failed and unanswered calls as worse than any limit; <b>answered only</b> leaves them out and flatters whoever refuses most.</p>
</section>`
}
