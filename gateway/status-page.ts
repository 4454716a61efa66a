import type { Percentiles } from './latency.js'

/** What `/weir/status` says, as JSON and as a page. */
export interface Status {
  readonly upSeconds: number
  /** The word of `/readyz`: `ok`, `sleeping`, or why not. */
  readonly ready: string
  readonly draining: boolean
  readonly upstream: Readonly<Record<string, unknown>>
  readonly inFlight: number
  readonly zombiePlaces: number
  readonly slotSecondsWasted: number
  /** In run order. */
  readonly policies: ReadonlyArray<{ readonly name: string, readonly mode: string, readonly gauges: Readonly<Record<string, number>> }>
  /** Of the last one to two minutes, milliseconds. */
  readonly latency: Readonly<Record<string, Percentiles>>
}

const refreshSeconds = 2

/** One file without a script: a browser loads it again by itself. */
export function statusPage ({ upSeconds, ready, upstream, inFlight, zombiePlaces, slotSecondsWasted, policies, latency }: Status): string {
  const { url, state, load, ...props } = upstream
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="${refreshSeconds}">
<title>Weir: ${text(ready)}</title>
<style>
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
section { display: grid; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); gap: 0 2.5rem }
h1, h2 { font-weight: 600; margin: 1.5rem 0 .4rem } h1 { font-size: 1.4rem } h2 { font-size: 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; font-weight: 400; padding: .15rem .6rem .15rem 0; border-bottom: 1px solid #8884 }
.word { overflow-wrap: anywhere }
td:not(.word) { text-align: right; font-variant-numeric: tabular-nums }
thead th:not(:first-child) { text-align: right }
.ok { color: #2a8a4a } .trouble { color: #c03030 }
</style>
</head>
<body>
<h1>Weir <span class="${ready === 'ok' || ready === 'sleeping' ? 'ok' : 'trouble'}">${text(ready)}</span></h1>
<section>
${table('Gateway', { 'up, s': upSeconds, 'calls in flight': inFlight, 'places kept by calls that nobody waits for': zombiePlaces, 'slot-seconds wasted': slotSecondsWasted })}
${table('llama-server', { url, state, ...props, ...Object(load) })}
${policies.map(({ name, mode, gauges }) => table(mode === 'on' ? name : `${name} (shadow)`, gauges)).join('\n')}
</section>
<h2>Last one to two minutes, milliseconds</h2>
<table><thead><tr><th></th><th>n</th><th>p50</th><th>p95</th><th>p99</th><th>max</th></tr></thead>
${Object.entries(latency).map(([name, { n, p50, p95, p99, max }]) => `<tr><th>${text(name)}</th>${[n, p50, p95, p99, max].map(cell).join('')}</tr>`).join('\n')}
</table>
</body>
</html>
`
}

function table (title: string, values: Readonly<Record<string, unknown>>): string {
  const rows = Object.entries(values).map(([name, value]) => `<tr><th>${text(name)}</th>${cell(value)}</tr>`)
  return `<div><h2>${text(title)}</h2><table>${rows.join('')}</table></div>`
}

function cell (value: unknown): string {
  return typeof value === 'number' ? `<td>${Number.isInteger(value) ? value : value.toFixed(1)}</td>` : `<td class="word">${text(String(value))}</td>`
}

function text (plain: string): string {
  return plain.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
}
