import { formatCount, formatNumber, formatPercent, MISSING } from '../format.js'
import { html } from '../markup.js'
import type { Html } from '../markup.js'
import { agreements, type Agreement } from '../second-tools.js'
import type { Result } from '../../types.js'

/** The same quantities by the harness's own readers and by tools that are not ours. */
export function secondToolsSection (result: Result): Html | undefined {
  const rows = agreements(result)
  if (rows.length === 0) return undefined
  return html`
<section id="second-tools"><h2>Two tools, one quantity</h2>
<p>Sums over the blocks, each over the whole intervals of the other tool inside the judged window. They agree within 2 %, or within a floor for small counts and for how exactly the window’s ends are dated.</p>
<div class="scroll"><table><thead><tr><th class="text">quantity</th><th class="text">other tool</th><th>it counted</th><th class="text">own reading</th><th>it counted</th><th>difference</th><th>blocks that agree</th></tr></thead>
<tbody>${rows.map((row) => html`<tr><td class="text">${row.quantity}</td><td class="text">${row.tool}</td><td class="number">${formatNumber(row.theirs)} ${row.unit}</td><td class="text">${row.source}</td><td class="number">${formatNumber(row.ours)} ${row.unit}</td><td class="number">${difference(row)}</td><td class="number">${formatCount(row.agreeing)} of ${formatCount(row.blocks)}</td></tr>`)}</tbody></table></div>
</section>`
}

function difference ({ theirs, ours }: Agreement): string {
  return ours === 0 ? MISSING : formatPercent((theirs - ours) / ours)
}
