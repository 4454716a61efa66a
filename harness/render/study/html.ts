/** The report of a study as one page that needs nothing else: verdicts first, then what each requirement got, then the report of each run. */
import { CSS } from '../css.js'
import { formatSeconds } from '../format.js'
import { html, trusted } from '../markup.js'
import { machineList, modelText } from '../sections/method.js'
import { countsText, legMarks, sizeText, verdictOf, whyUnsupported } from './words.js'
import type { Html } from '../markup.js'
import { NOT_ASKED } from '../../study/plan.js'
import type { ExperimentFinding, RequirementFinding, StudyResult } from '../../study/findings.js'

const STUDY_CSS = `
.experiment { border-top: 3px solid var(--soft); margin-top: 3rem; }
.experiment h3 { font-size: 1.1rem; margin-top: 1.75rem; } .experiment h4 { font-size: 1rem; margin: 1.1rem 0 .25rem; }
table.toc td { text-align: left; } table.toc td.text { min-width: 6rem; }
@media (max-width: 640px) { .plot.wide { display: block; overflow-x: auto; } .plot.wide svg { min-width: 40rem; } }
@media print { .experiment { break-before: page; border-top: 0; margin-top: 0; } .plot { break-inside: avoid; } a { color: inherit; text-decoration: none; } .plot svg { max-height: 20cm; } }
`

/** @param fragments report of each run, by id of its experiment */
export function renderStudyHtml (study: StudyResult, fragments: ReadonlyMap<string, string>): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Study: ${countsText(study)}</title>
<style>${trusted(CSS)}${trusted(STUDY_CSS)}</style>
</head>
<body>
${verdicts(study)}
${contents(study)}
${limits(study)}
${environment(study)}
${study.experiments.map((experiment, i) => experimentSection(i + 1, experiment, fragments.get(experiment.id)))}
<section id="check"><h2>Check it</h2>
<p>Every number here is computed from the raw files of the runs, in <code>runs/</code> beside this file. Compute all of it again with <code>npx harness report DIR</code>, where DIR is the folder of this file;
or one run, with its folder. study-plan.json was written before the first run${study.extended === undefined ? '' : html` of the ${study.extended.budgetMinutes} minutes that it had at first (as study-plan.${study.extended.budgetMinutes}-min.json, sha256 <code>${study.extended.planSha256}</code>), and anew before the runs that more minutes brought, at ${study.extended.at}`}, sha256 <code>${study.planSha256}</code>; each run has a plan of its own. study.json has its verdicts, claims and environments (schema: study.schema.json), claims.csv and legs.csv the claims with each figure of their legs, contrasts.csv all ratios, figures.csv all figures; the rest of a run is in its own result.json, its charts as SVG in its charts/.</p>
</section>
</body>
</html>
`.toString()
}

function verdicts (study: StudyResult): Html {
  const open = study.requirements.some(({ status }) => status !== 'SUPPORTED')
  return html`<header>
<h1>What slows llama-server down, and what helps: study of ${study.createdAt.slice(0, 10)}, ${study.preset} preset</h1>
<div class="verdict tone-${open ? 'open' : 'better'}">
<div class="word">${open ? 'NOT ALL SUPPORTED' : 'ALL SUPPORTED'}</div>
<div class="numbers">${countsText(study)}</div>
${study.ended === undefined ? undefined : html`<p>The study ended early: ${study.ended}. What was finished is below; <code>npx harness study --resume DIR</code> goes on.</p>`}
</div>
${study.warnings.length + syntheticModels(study).length === 0 ? undefined : html`<div class="warnings"><b>Read with care</b><ul>${[...syntheticModels(study), ...study.warnings].map((warning) => html`<li>${warning}</li>`)}</ul></div>`}
<h2 id="verdicts">Verdicts</h2>
<div class="scroll"><table class="toc"><thead><tr><th class="text">experiment</th><th class="text">verdict</th><th class="text">what was seen</th></tr></thead>
<tbody>${study.experiments.map(verdictRow)}</tbody></table></div>
</header>`
}

function verdictRow (each: ExperimentFinding): Html {
  const lacking = each.results.flatMap((claim) => whyUnsupported(claim) ?? [])
  return html`<tr><td class="text"><a href="#${anchor(each)}">${each.id}</a><small>${each.question}</small></td>
<td><span class="badge tone-${tone(each)}">${verdictOf(each)}</span>${lacking.map((why) => html`<small>${why}</small>`)}<small>${sizeText(each)}</small></td>
<td class="text">${each.headline?.seen ?? each.error ?? 'the study ended before it'}</td></tr>`
}

function syntheticModels ({ models }: StudyResult): string[] {
  const names = [...new Set(models.filter(({ synthetic }) => synthetic).map(({ name }) => name))]
  return names.length === 0 ? [] : [`synthetic weights (${names.join(', ')}): seeded random weights in the shape of real models; time, memory and IO are those of the shape, the text is nonsense`]
}

function contents (study: StudyResult): Html {
  return html`<section id="contents"><h2>What was asked, and what supports the answer</h2>
<div class="scroll"><table class="toc"><thead><tr><th class="text">requirement</th><th class="text">status</th><th class="text">claims, each with its legs</th></tr></thead>
<tbody>${study.requirements.map((requirement) => html`<tr id="requirement-${requirement.id}"><td class="text"><b>${requirement.id}</b><small>${requirement.asks}</small></td><td><span class="badge tone-${statusTone(requirement.status)}">${requirement.status}</span><small>${requirement.because}</small></td><td class="text">${claimsOf(requirement, study)}</td></tr>`)}</tbody></table></div>
<p class="soft">A claim is SUPPORTED only when all of its four legs hold: A the application, O the operating system by another tool, C the control against the likeliest other explanation, M the mechanism as predicted before the run. + holds, − fails, ? missing.</p>
</section>`
}

function claimsOf ({ experiments }: RequirementFinding, study: StudyResult): Html {
  const own = study.experiments.filter(({ id }) => experiments.includes(id))
  return html`${own.map((each) => html`<div><a href="#${anchor(each)}">${each.id}</a>${each.results.length === 0
    ? html` <small>${each.headline === undefined ? each.error ?? 'not run' : 'describes; it has no claim'}</small>`
    : each.results.map((claim) => html`<small><b>${claim.status}</b> (${legMarks(claim)}${orNothing(whyUnsupported(claim))}) ${claim.statement}</small>`)}</div>`)}`
}

function orNothing (why: string | undefined): string {
  return why === undefined ? '' : `; ${why}`
}

function limits (study: StudyResult): Html | undefined {
  const limited = study.experiments.filter(({ cannotShow }) => cannotShow.length > 0)
  const leftOut = study.leftOut.filter(({ because }) => because !== NOT_ASKED)
  if (limited.length + leftOut.length === 0) return undefined
  return html`<section id="limits"><h2>What this preset cannot support</h2>
<p class="soft">Said before the first run.</p>
<dl>${limited.map((each) => html`<dt>${each.id} (${sizeText(each)})</dt><dd>${each.cannotShow.join('; ')}</dd>
`)}${leftOut.map(({ id, because }) => html`<dt>${id}</dt><dd>left out: ${because}</dd>
`)}</dl></section>`
}

function environment ({ machines, models, experiments }: StudyResult): Html {
  return html`<section id="environment"><h2>Environment</h2>
${machines.map((manifest, i) => html`<h3>${manifest.virtualisation.startsWith('vm: ') ? `The VM (${manifest.virtualisation})` : 'This machine'}</h3>
<p class="soft">${experiments.filter(({ machine }) => machine === i).map(({ id }) => id).join(', ')}. Model, slots and threads are those of the first of them; each run says its own.</p>
${machineList(manifest)}`)}
<h3>Models</h3>
<dl>${models.map((model) => html`<dt>${model.name}</dt><dd>${modelText(model)}</dd>
`)}</dl>
</section>`
}

function experimentSection (n: number, experiment: ExperimentFinding, fragment: string | undefined): Html {
  const { id, error, seconds, host } = experiment
  return html`
<section class="experiment" id="${anchor(experiment)}"><h2>${n}. ${id}</h2>
<p class="soft">${sizeText(experiment)}, ${host === 'vm' ? 'in the VM' : 'on this machine'}${seconds === undefined ? '' : `, ${formatSeconds(seconds)}`}. <a href="#contents">Contents</a>${experiment.complete ? '' : `. ${verdictOf(experiment)}${error === undefined ? '' : `: ${error}`}`}</p>
${fragment === undefined ? html`<p>There is nothing to show: ${error ?? 'the study ended before it'}.</p>` : trusted(fragment)}
</section>`
}

function anchor ({ id }: Pick<ExperimentFinding, 'id'>): string {
  return `experiment-${id}`
}

function tone (experiment: ExperimentFinding): string {
  switch (verdictOf(experiment)) {
    case 'FAILED': return 'worse'
    case 'SUPPORTED': case 'BETTER': return 'better'
    case 'UNSUPPORTED': case 'WORSE': return 'worse'
    case 'EQUIVALENT': return 'equivalent'
    default: return 'open'
  }
}

function statusTone (status: RequirementFinding['status']): string {
  return status === 'SUPPORTED' ? 'supported' : status === 'UNSUPPORTED' ? 'unsupported' : 'open'
}
