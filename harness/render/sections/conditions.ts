import { counterColumns, factorNames, factorText, gapColumns } from '../condition-table.js'
import { formatRatio, MISSING } from '../format.js'
import { html } from '../markup.js'
import type { ConditionColumn } from '../condition-table.js'
import type { Html } from '../markup.js'
import type { Condition, StreamsResult } from '../../types.js'

const RATIOS = [{ title: 'p99 ÷ baseline', metric: 'itl-p99' }, { title: 'rate ÷ baseline', metric: 'tokens-per-second' }] as const

const small = (text: string | undefined): Html | undefined => text === undefined ? undefined : html`<small>${text}</small>`

/** What each condition was and what came out: doses, gaps, rates, counters, and the ratios to its baseline. */
export function conditionsSection (result: StreamsResult): Html {
  const factors = factorNames(result)
  const ratioOf = (condition: Condition, metric: string) => result.contrasts.find((contrast) => contrast.metric === metric && contrast.a === condition.baseline && contrast.b === condition.id)?.ratio ?? null
  const ratios: ConditionColumn[] = RATIOS.filter(({ metric }) => result.conditions.some((condition) => ratioOf(condition, metric) !== null)).map(({ title, metric }) => ({
    title,
    short: title,
    text: (id) => {
      const condition = result.conditions.find((each) => each.id === id)
      return condition === undefined ? MISSING : formatRatio(ratioOf(condition, metric))
    }
  }))
  const columns = [...gapColumns(result), ...ratios, ...counterColumns(result)]
  const row = (condition: Condition): Html => html`<tr class="condition-${condition.id}"><th class="text condition" scope="row">${condition.id}</th>${factors.map((name) => html`<td class="number">${factorText(condition.factors[name])}</td>`)}${columns.map(({ text, detail }) => html`<td class="number">${text(condition.id)}${small(detail?.(condition.id))}</td>`)}</tr>`
  const meanings = result.conditions.map(({ id, title, baseline }) => html`<dt>${id}</dt><dd>${title}${baseline === undefined ? undefined : html` <span class="soft">(against ${baseline})</span>`}</dd>
`)
  return html`
<section id="conditions"><h2>Conditions</h2>
<div class="scroll"><table class="dense"><thead><tr><th class="text">condition</th>${factors.map((name) => html`<th>${name}</th>`)}${columns.map(({ title }) => html`<th>${title}</th>`)}</tr></thead>
<tbody>${result.conditions.map(row)}</tbody></table></div>
<p class="soft">Gaps are the times between two tokens of a stream, all gaps of the answered calls of a condition together; TTFT, tokens/s and the counters are means over its blocks. Small: the 95 % interval of a percentile, by resampling whole blocks, or the least and the most of the blocks that a mean is of, and n, gaps, calls or blocks; intervals of ratios are in “Contrasts”. Counters are those of llama-server’s own control group during the load; a counter that no condition moved has no column.</p>
${result.design === 'sweep' ? html`<details class="printed"${result.conditions.length > 4 ? undefined : html` open`}><summary>What the conditions are</summary><dl>${meanings}</dl></details>` : undefined}
</section>`
}
