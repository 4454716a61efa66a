import { formatCount, formatInterval, formatNumber, formatPercent } from '../format.js'
import { metricLabel } from '../labels.js'
import { html } from '../markup.js'
import type { Html } from '../markup.js'
import type { ExplainedShare, Result, StallSource } from '../../types.js'

const SOURCES: Readonly<Record<StallSource, string>> = {
  throttled: 'throttled (cpu.stat)',
  'cpu-full': 'no task ran (cpu PSI full)',
  'memory-full': 'memory PSI full',
  'io-full': 'io PSI full',
  'run-queue-wait': 'run-queue wait (schedstat)'
}

function row ({ condition, metric, percentile, n, tail, usualMs, excessMs, shares }: ExplainedShare): Html {
  const [most] = [...shares].sort((a, b) => (b.share ?? -1) - (a.share ?? -1))
  return html`<tr><td class="text condition">${condition}</td><td class="text">${metricLabel(metric)}${percentile === 'all' ? ', all' : ` from ${percentile} up`}</td><td class="number">${formatCount(tail)} of ${formatCount(n)}</td><td class="number">${formatNumber(usualMs)}</td><td class="number">${formatNumber(excessMs)}</td>
<td class="text">${shares.length === 0 ? 'no excess' : most?.share === null ? most.because ?? 'not known' : shares.map((each) => html`<div>${each === most && each.share !== null ? html`<b>${shareText(each)}</b>` : shareText(each)}</div>`)}</td></tr>`
}

function shareText ({ source, share, ci95, because }: ExplainedShare['shares'][number]): string {
  if (share === null) return `${SOURCES[source]}: ${because ?? 'not known'}`
  return `${SOURCES[source]}: ${formatPercent(share)}${ci95 === null ? '' : ` (${formatInterval([100 * ci95[0], 100 * ci95[1]])})`}`
}

/** What the operating system did inside the slowest calls and gaps. */
export function explainedSection ({ explained = [] }: Result): Html | undefined {
  if (!explained.some(({ shares }) => shares.some(({ share }) => share !== null))) return undefined
  return html`
<section id="explained"><h2>What the slowest waits were made of</h2>
<div class="scroll"><table><thead><tr><th class="text">condition</th><th class="text">slowest</th><th>n</th><th>usual ms</th><th>excess ms</th><th class="text">explained at least, by each source (95 %)</th></tr></thead>
<tbody>${explained.map(row)}</tbody></table></div>
<p class="soft">Each answered call, and each gap of a stream, is joined with the counters that were read while it lasted. Excess: what the slowest took on average beyond the usual, which is the median of the baseline’s calls, or of the same condition’s gaps.
Explained: the part of it in which, by this source, llama-server stood still for longer than it does in the usual waits; a lower bound, since times that the kernel sums over CPUs or threads are divided by all of them. Sources overlap and must not be added up.
What none explains is waiting in a queue, longer prompts, or the server’s own work. It is an association in time; the claim’s control says whether it is the cause. The intervals are by resampling blocks, and of few blocks too narrow.</p>
</section>`
}
