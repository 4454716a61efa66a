import { formatNumber, formatPercent } from '../format.js'
import { html } from '../markup.js'
import type { Html } from '../markup.js'
import type { Result } from '../../types.js'

/** One line per block: what the contrasts were made of. */
export function blocksSection (result: Result): Html | undefined {
  if (result.blocks.length === 0) return undefined
  return html`
<details><summary>All ${result.blocks.length} blocks</summary>
<div class="scroll"><table><thead><tr><th>block</th><th>pair</th><th class="text">arm</th><th>capacity/s</th><th>offered/s</th><th>answered/s</th><th>good/s</th><th>good ÷ capacity</th><th>TTFT p50 ms</th><th>TTFT p95 ms</th><th>tokens/s</th><th>CPU µs/token</th><th>dispatch p95 ms</th><th>sampler CPU</th><th class="text">counts</th></tr></thead>
<tbody>${result.blocks.map((block) => html`<tr class="arm-${block.arm}"><td>${block.index}</td><td>${block.pair}</td><td class="text arm">${block.arm}</td>${[block.capacityPerSecond, block.offeredPerSecond, block.answeredPerSecond, block.goodPerSecond, block.goodPerCapacity, block.ttftAnsweredP50Ms, block.ttftAnsweredP95Ms, block.tokensPerSecond, block.serverCpuUsecPerToken, block.dispatchDelayP95Ms].map((value) => html`<td class="number">${formatNumber(value)}</td>`)}<td class="number">${formatPercent(block.samplerCpuShare)}</td><td class="text">${block.valid ? 'yes' : `no: ${block.because ?? 'no reason given'}`}</td></tr>`)}</tbody></table></div>
</details>`
}
