import { formatCount, formatPercent, MISSING } from '../format.js'
import { conditionIds } from '../labels.js'
import { html } from '../markup.js'
import type { Html } from '../markup.js'
import type { Result } from '../../types.js'

/** Refusals and errors by kind; shares are of the counts of the same condition in this table. */
export function countsSection (result: Result): Html | undefined {
  const { counts } = result
  if (counts.length === 0) return undefined
  const ids = conditionIds(result)
  const totals = new Map(ids.map((id) => [id, counts.filter((count) => count.condition === id).reduce((sum, count) => sum + count.n, 0)]))
  const kinds = [...new Map(counts.map((count) => [`${count.outcome}\n${count.reason}`, count])).values()]
  const complete = counts.some((count) => count.outcome === 'answered')
  const cell = (kind: typeof kinds[number], id: string): Html => {
    const n = counts.filter((count) => count.condition === id && count.outcome === kind.outcome && count.reason === kind.reason).reduce((sum, count) => sum + count.n, 0)
    const total = totals.get(id) ?? 0
    return html`<td class="number">${formatCount(n)}${complete && total > 0 ? html` <small>${formatPercent(n / total)}</small>` : undefined}</td>`
  }
  return html`
<section id="counts"><h2>Refusals and errors</h2>
<div class="scroll"><table><thead><tr><th class="text">outcome</th><th class="text">reason</th>${ids.map((id) => html`<th>${id}</th>`)}</tr></thead>
<tbody>${kinds.map((kind) => html`<tr><td class="text">${kind.outcome}</td><td class="text">${kind.reason === '' ? MISSING : kind.reason}</td>${ids.map((id) => cell(kind, id))}</tr>`)}</tbody></table></div>
</section>`
}
