import { html } from '../markup.js'
import type { Html } from '../markup.js'
import type { Evidence } from '../../types.js'

/** Files that `writeReport` makes, beside the raw evidence and its folder of charts. */
export const REPORT_FILES = ['result.json', 'result.schema.json', 'report.html', 'report.md', 'cells.csv', 'contrasts.csv', 'blocks.csv', 'calls.csv'] as const

export function filesSection (evidence: Evidence): Html {
  return html`
<section id="files"><h2>Check it</h2>
<p>Every number here is computed from the raw files of the run. Compute it again with <code>npx harness report DIR</code>, where DIR is the folder of this file: change one raw line and the numbers made of it change.</p>
<dl>
<dt>plan.json</dt><dd>what was to be done, written before the first block; sha256 <code>${evidence.planSha256}</code></dd>
<dt>manifest.json</dt><dd>machine, model, server, and what was missing</dd>
<dt>one folder per block</dt><dd>block.json (stamps, state read back), calls.ndjson (every call), samples.ndjson (operating system counters), tools/ (what pidstat, iostat, vmstat and perf printed, and when), the gateway's records (every decision)</dd>
<dt>result.json</dt><dd>all of this report as data; result.schema.json is its JSON Schema</dd>
<dt>cells.csv, contrasts.csv, blocks.csv, calls.csv</dt><dd>the tables for a spreadsheet, not rounded</dd>
<dt>charts/</dt><dd>each chart as an SVG of its own</dd>
</dl>
</section>`
}
