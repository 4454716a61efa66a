import { isOpenLoop } from '../../analyse/plan-kind.js'
import { absentSignals } from '../charts/panels.js'
import { renderCharts } from '../charts.js'
import { html, trusted } from '../markup.js'
import type { Chart } from '../charts.js'
import type { Html } from '../markup.js'
import type { Evidence, Result } from '../../types.js'

interface Words {
  readonly title: string
  readonly reading: string
}

function wordsFor (evidence: Evidence, result: Result): Readonly<Record<Chart['id'], Words>> {
  const absent = absentSignals(evidence, result)
  const open = isOpenLoop(result)
  return {
    blocks: {
      title: open ? 'Useful work, block by block' : 'Tokens per second, block by block',
      reading: open
        ? 'Each mark is one block with a fresh server; the two marks of a pair had the same arrivals. The grey bar is what this very server could do in short closed loops beside it. A mark near its bar: hardly any work was wasted. A mark near zero: the server worked, but its answers came too late.'
        : 'Each mark is one block with a fresh server. What differs between the conditions of one repeat, and does so again in the next, is their doing; what differs between the repeats is the machine’s.'
    },
    dose: { title: 'Dose and response', reading: 'Large marks: all blocks of a condition together; small ones: single blocks. A line joins conditions that differ in this factor and not in those named in the legend; marks without a line share a dose with another condition. Dotted: conditions without this factor. A cause gives a response that goes with its dose.' },
    spectrum: { title: 'Where the time of a stream went', reading: `Each panel is a condition. Height: the share of the streaming time that was spent in gaps of about this length, so that a few long stalls weigh as much as they cost. One peak is steady decoding; a second one far to the right is time in which the server stood still.${result.claims.some(({ marks = [] }) => marks.length > 0) ? ' Dashed: where the claim, before the run, said that the stall would be.' : ''}` },
    ecdf: { title: 'How soon the first token came', reading: 'Read upwards at the dotted limit: the share of all offered calls that had their first token by then. A curve that ends below 100 % belongs to a condition in which the other calls were refused, failed, or had no token when the run stopped waiting. Shaded: the 95 % band at each time, by resampling whole blocks (none with fewer than two). Marks only tell the curves apart.' },
    growth: { title: 'Waiting while the load lasts', reading: 'One block of each condition: those of the repeat with the median gain. A cloud that climbs is a queue that grows: the next call always waits longer than the last. The grey stretch at the start is the ramp, which is not judged. Calls that were refused got their answer at the height of the cross. “Never answered” is drawn at the time the run stopped waiting.' },
    panels: { title: open ? 'Latency, queue and operating system on one time axis' : 'Latency and operating system on one time axis', reading: `${open ? 'The same blocks' : result.design === 'sweep' ? 'The condition whose rate moved most, and its baseline, in the repeat with the median effect' : 'One block of each condition, of the repeat with the median gain'}. Look for curves that move together with the first panel: they take part in the mechanism. A curve that does not move in the time shown had no part in it; what happens in a start, before the load, is not shown here.${absent.length === 0 ? '' : ` Not available in this run: ${absent.join('; ')}.`}` },
    forest: { title: 'All contrasts', reading: `Point: ratio ${result.design === 'pairs' ? 'after ÷ before' : 'to the baseline'}; line: its 95 % interval; grey band: changes too small to matter, as named in the plan. An interval that crosses 1 shows no difference; one inside the band is “equivalent”. ★ is the primary outcome. Filled circle better, square worse, diamond equivalent, open circle cannot say.` },
    itl: { title: 'Gaps between tokens', reading: 'Share of all gaps of the answered calls in bins of equal width on the log axis. One peak is steady decoding; a second peak far to the right is a stall: a prompt of another call in the same batch, or a period of the CPU scheduler.' }
  }
}

/** Each chart with a caption that says how to read it. */
export function figuresSection (evidence: Evidence, result: Result): Html {
  const words = wordsFor(evidence, result)
  const figures = renderCharts(evidence, result).map(({ id, wide, narrow }) => html`
<figure id="chart-${id}"><h3>${words[id].title}</h3>
<div class="plot wide">${trusted(wide)}</div><div class="plot narrow">${trusted(narrow)}</div>
<figcaption><b>How to read it:</b> ${words[id].reading}</figcaption></figure>`)
  return html`<section id="charts"><h2>Charts</h2>${figures}</section>`
}
