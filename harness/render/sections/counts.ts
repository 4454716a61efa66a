import { formatCount, formatPercent, MISSING } from '../format.js'
import { ARMS } from '../labels.js'
import { html } from '../markup.js'
import type { Html } from '../markup.js'
import type { Result } from '../../types.js'

/** Refusals and errors by kind; shares are of the counts of the same arm in this table. */
export function countsSection (result: Result): Html | undefined {
  const { counts } = result
  if (counts.length === 0) return undefined
  const totals = new Map(ARMS.map((arm) => [arm, counts.filter((count) => count.condition === arm).reduce((sum, count) => sum + count.n, 0)]))
  const kinds = [...new Map(counts.map((count) => [`${count.outcome}\n${count.reason}`, count])).values()]
  const complete = counts.some((count) => count.outcome === 'answered')
  const cell = (kind: typeof kinds[number], arm: typeof ARMS[number]): Html => {
    const n = counts.filter((count) => count.condition === arm && count.outcome === kind.outcome && count.reason === kind.reason).reduce((sum, count) => sum + count.n, 0)
    const total = totals.get(arm) ?? 0
    return html`<td class="number">${formatCount(n)}${complete && total > 0 ? html` <small>${formatPercent(n / total)}</small>` : undefined}</td>`
  }
  return html`
<section id="counts"><h2>Refusals and errors</h2>
<div class="scroll"><table><thead><tr><th class="text">outcome</th><th class="text">reason</th>${ARMS.map((arm) => html`<th>${arm}</th>`)}</tr></thead>
<tbody>${kinds.map((kind) => html`<tr><td class="text">${kind.outcome}</td><td class="text">${kind.reason === '' ? MISSING : kind.reason}</td>${ARMS.map((arm) => cell(kind, arm))}</tr>`)}</tbody></table></div>
</section>`
}
