/** The report as one page that needs nothing else: no script, no request, verdict first. */
import { CSS } from './css.js'
import { headline } from './headline.js'
import { html, trusted } from './markup.js'
import { blocksSection } from './sections/blocks.js'
import { isStreams } from '../analyse/plan-kind.js'
import { cellsSection } from './sections/cells.js'
import { claimsSection } from './sections/claims.js'
import { conditionsSection } from './sections/conditions.js'
import { contrastsSection } from './sections/contrasts.js'
import { countsSection } from './sections/counts.js'
import { explainedSection } from './sections/explained.js'
import { figuresSection } from './sections/figures.js'
import { filesSection } from './sections/files.js'
import { definitionsSection, machineSection, methodSection, stateSection } from './sections/method.js'
import { secondToolsSection } from './sections/second-tools.js'
import { verdictSection } from './sections/verdict.js'
import { warningsSection } from './sections/warnings.js'
import type { Html } from './markup.js'
import type { Evidence, Result } from '../types.js'

/** The same input gives the same text. */
export function renderHtml (evidence: Evidence, result: Result): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${headline(result).word}: ${result.experiment}</title>
<style>${trusted(CSS)}</style>
</head>
<body>
${reportSections(evidence, result)}
${filesSection(evidence)}
</body>
</html>
`.toString()
}

/** All of a report but what is said of its files. */
export function reportSections (evidence: Evidence, result: Result): Html {
  return html`${verdictSection(result)}
${warningsSection(result)}
${isStreams(result) ? conditionsSection(result) : cellsSection(result)}
${claimsSection(result)}
${figuresSection(evidence, result)}
${contrastsSection(result)}
${explainedSection(result)}
${countsSection(result)}
${secondToolsSection(result)}
<section id="method"><h2>Machine, method, definitions</h2>
${machineSection(result)}
${methodSection(evidence, result)}
${definitionsSection(result)}
${isStreams(result) ? html`<details class="printed"><summary>All figures with their intervals</summary>${cellsSection(result)}</details>` : undefined}
${blocksSection(result)}
${stateSection(evidence)}
</section>`
}
