import { isOpenLoop } from '../../analyse/plan-kind.js'
import { formatCount, formatNumber, formatPercent, MISSING } from '../format.js'
import { html } from '../markup.js'
import type { Html } from '../markup.js'
import type { BlockSummary, OpenLoopBlockSummary, Result, StreamsBlockSummary } from '../../types.js'

/** One line per block: what the contrasts were made of. */
export function blocksSection (result: Result): Html | undefined {
  if (result.blocks.length === 0) return undefined
  return html`
<details><summary>All ${result.blocks.length} blocks</summary>
<div class="scroll">${isOpenLoop(result) ? table(result.blocks, OPEN_LOOP) : table(result.blocks, STREAMS)}</div>
</details>`
}

interface Column<B> {
  readonly title: string
  readonly text: (block: B) => string
}

const OPEN_LOOP: ReadonlyArray<Column<OpenLoopBlockSummary>> = [
  { title: 'capacity/s', text: (block) => formatNumber(block.capacityPerSecond) },
  { title: 'offered/s', text: (block) => formatNumber(block.offeredPerSecond) },
  { title: 'answered/s', text: (block) => formatNumber(block.answeredPerSecond) },
  { title: 'good/s', text: (block) => formatNumber(block.goodPerSecond) },
  { title: 'good ÷ capacity', text: (block) => formatNumber(block.goodPerCapacity) },
  { title: 'TTFT p50 ms', text: (block) => formatNumber(block.ttftAnsweredP50Ms) },
  { title: 'TTFT p95 ms', text: (block) => formatNumber(block.ttftAnsweredP95Ms) },
  { title: 'tokens/s', text: (block) => formatNumber(block.tokensPerSecond) },
  { title: 'CPU µs/token', text: (block) => formatNumber(block.serverCpuUsecPerToken) },
  { title: 'dispatch p95 ms', text: (block) => formatNumber(block.dispatchDelayP95Ms) },
  { title: 'sampler CPU', text: (block) => formatPercent(block.samplerCpuShare) },
  { title: 'other tools’ CPU', text: toolsCpu }
]

const STREAMS: ReadonlyArray<Column<StreamsBlockSummary>> = [
  { title: 'answered', text: (block) => formatCount(block.answered) },
  { title: 'failed', text: (block) => formatCount(block.failed) },
  { title: 'tokens/s', text: (block) => formatNumber(block.tokensPerSecond) },
  { title: 'TTFT p50 ms', text: (block) => formatNumber(block.ttftP50Ms) },
  { title: 'gap p50 ms', text: (block) => formatNumber(block.itlP50Ms) },
  { title: 'gap p95 ms', text: (block) => formatNumber(block.itlP95Ms) },
  { title: 'gap p99 ms', text: (block) => formatNumber(block.itlP99Ms) },
  { title: 'CPUs used', text: (block) => formatNumber(block.cpusUsed) },
  { title: 'yardstick ms/token', text: (block) => formatNumber(block.yardstick?.ms) },
  { title: 'throttled', text: ({ group }) => group.periods === undefined ? MISSING : `${formatCount(group.throttledPeriods ?? 0)} of ${formatCount(group.periods)}` },
  { title: 'refaults', text: ({ group }) => formatNumber(group.refaultedPages) },
  { title: 'OOM kills', text: ({ group }) => formatNumber(group.oomKills) },
  { title: 'sampler CPU', text: (block) => formatPercent(block.samplerCpuShare) },
  { title: 'other tools’ CPU', text: toolsCpu },
  { title: 'llama-server ended', text: (block) => block.serverEnd ?? MISSING }
]

function toolsCpu ({ toolsCpuShare }: BlockSummary): string {
  return toolsCpuShare === undefined ? MISSING : formatPercent(toolsCpuShare)
}

function table<B extends BlockSummary> (blocks: readonly B[], columns: ReadonlyArray<Column<B>>): Html {
  return html`<table><thead><tr><th>block</th><th>pair</th><th class="text">condition</th>${columns.map(({ title }) => html`<th>${title}</th>`)}<th class="text">counts</th></tr></thead>
<tbody>${blocks.map((block) => html`<tr class="condition-${block.condition}"><td>${block.index}</td><td>${block.pair}</td><td class="text condition">${block.condition}</td>${columns.map(({ text }) => html`<td class="number">${text(block)}</td>`)}<td class="text">${block.valid ? 'yes' : `no: ${block.because ?? 'no reason given'}`}</td></tr>`)}</tbody></table>`
}
