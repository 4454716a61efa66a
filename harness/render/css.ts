/** The whole style of a report. Light and dark follow the reader; charts always lie on white, as in print. */
export const CSS = `
:root { color-scheme: light dark; --ink: #1d1d1f; --soft: #595959; --page: #ffffff; --card: #f5f5f3; --rule: #d9d9d6; --good: #00613f; --bad: #a3260f; --even: #1f4e79; --open: #7a5200; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececec; --soft: #b3b3b3; --page: #161618; --card: #222225; --rule: #3d3d42; --good: #6fd3a8; --bad: #ff9d85; --even: #8fc1f0; --open: #f0c36d; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.25rem 1rem 3rem; max-width: 58rem; background: var(--page); color: var(--ink); font: 1rem/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.15rem; font-weight: 600; margin: 0 0 .75rem; }
h2 { font-size: 1.25rem; margin: 2.25rem 0 .5rem; line-height: 1.25; }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
p { margin: .4rem 0; }
.soft, figcaption, small { color: var(--soft); }
.verdict { border-left: .5rem solid var(--tone); background: var(--card); padding: 1rem 1.1rem; border-radius: 0 .4rem .4rem 0; }
.verdict .word { font-size: 2rem; font-weight: 800; line-height: 1.1; color: var(--tone); letter-spacing: .02em; }
.verdict .numbers { font-size: 1.35rem; font-weight: 600; line-height: 1.3; margin: .35rem 0; }
.tone-better, .tone-holds, .tone-supported { --tone: var(--good); } .tone-worse, .tone-fails, .tone-unsupported { --tone: var(--bad); }
.tone-equivalent { --tone: var(--even); } .tone-open, .tone-missing { --tone: var(--open); }
.badge { display: inline-block; border: 1.5px solid var(--tone); color: var(--tone); border-radius: .3rem; padding: 0 .4rem; font-weight: 700; font-size: .85rem; white-space: nowrap; }
.warnings { border: 1.5px solid var(--open); border-radius: .4rem; padding: .5rem .9rem; margin: 1rem 0; }
.warnings ul { margin: .25rem 0; padding-left: 1.2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th, td { padding: .3rem .55rem; text-align: right; border-bottom: 1px solid var(--rule); vertical-align: top; }
th { font-weight: 600; } th.text, td.text { text-align: left; } thead th { border-bottom: 2px solid var(--soft); white-space: nowrap; }
td.text { min-width: 8rem; overflow-wrap: anywhere; } td.condition { min-width: 0; white-space: nowrap; } td.number { white-space: nowrap; }
table.dense { font-size: .84rem; } table.dense thead th { white-space: normal; vertical-align: bottom; } table.dense th, table.dense td { padding: .25rem .4rem; } table.dense th.condition { white-space: nowrap; }
td small { display: block; font-size: .8rem; line-height: 1.3; }
tr.condition-before > .condition { color: var(--bad); } tr.condition-after > .condition { color: var(--even); }
tbody.row tr:first-child > * { border-bottom: 0; padding-top: .55rem; } tbody.row td.condition { padding-left: 1.2rem; }
tbody.row tr:last-child > * { border-bottom-color: var(--soft); }
figure { margin: 1.25rem 0 1.75rem; break-inside: avoid; }
.plot { background: #fff; border: 1px solid var(--rule); border-radius: .4rem; padding: .35rem; }
.plot svg { display: block; width: 100%; height: auto; }
.plot.narrow { display: none; }
figcaption { font-size: .9rem; margin-top: .4rem; }
figcaption b { color: var(--ink); }
table.figures td.text { min-width: 6rem; }
.leg { border-left: .3rem solid var(--tone); padding: .1rem 0 .1rem .7rem; margin: .6rem 0; }
details { border: 1px solid var(--rule); border-radius: .4rem; padding: .4rem .8rem; margin: .6rem 0; }
summary { cursor: pointer; font-weight: 600; }
dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: .2rem 1rem; margin: .6rem 0; } dt { color: var(--soft); } dd { margin: 0; }
code { font: .88em ui-monospace, "DejaVu Sans Mono", Menlo, monospace; background: var(--card); padding: .05em .3em; border-radius: .25em; }
@media (max-width: 640px) { .plot.wide { display: none; } .plot.narrow { display: block; } .verdict .word { font-size: 1.6rem; } .verdict .numbers { font-size: 1.1rem; } dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .4rem; } table { font-size: .82rem; } th, td { padding: .2rem .22rem; } tbody.row td.condition { padding-left: .3rem; } td small { font-size: .7rem; white-space: normal; } }
@media print { :root { color-scheme: light; --ink: #000; --soft: #444; --page: #fff; --card: #fff; --rule: #bbb; --good: #00613f; --bad: #a3260f; --even: #1f4e79; --open: #7a5200; } body { max-width: none; font-size: 10.5pt; padding: 0; } .plot.wide { display: block; } .plot.narrow { display: none; } .verdict, .warnings, .leg, tr { break-inside: avoid; } h2, h3, h4 { break-after: avoid; } .scroll { overflow: visible; } table, table.dense { font-size: 7.5pt; } td.text, th { overflow-wrap: anywhere; } th, td, table.dense th, table.dense td { padding: .15rem .2rem; } thead th, td.number, td.condition, table.dense th.condition { white-space: normal; } details.printed:not([open])::details-content { content-visibility: visible; block-size: auto; } td.text { min-width: 0; } td small { font-size: 7pt; } .badge { font-size: 7.5pt; } table.figures td.number, table.figures thead th { white-space: nowrap; } @page { size: A4; margin: 14mm; } }
`
