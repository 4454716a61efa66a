import { CONTRAST_HEADER, contrastFields, toCsv } from '../csv.js'
import { escapeMarkdown } from '../markdown.js'
import { NBSP } from '../format.js'
import { PERCENTILES } from '../labels.js'
import { wrap } from '../text.js'
import { countsText, legMarks, sizeText, verdictOf, whyUnsupported } from './words.js'
import { NOT_ASKED } from '../../study/plan.js'
import type { StudyResult } from '../../study/findings.js'
import type { Result } from '../../types.js'

const LEGS = ['application', 'os', 'control', 'mechanism'] as const

export function claimsCsv ({ experiments }: StudyResult): string {
  const header = ['requirement', 'experiment', 'claim', 'status', 'statement', 'predicted', ...LEGS.flatMap((leg) => [leg, `${leg}_value`, `${leg}_lo`, `${leg}_hi`, `${leg}_source`])]
  return toCsv(header, experiments.flatMap(({ serves, id, results }) => results.map((claim) => [
    serves, id, claim.id, claim.status, claim.statement, claim.predicted,
    ...LEGS.flatMap((leg) => [claim[leg].status, claim[leg].value, claim[leg].band?.[0], claim[leg].band?.[1], claim[leg].source])
  ])))
}

/** A line for each figure of each leg. */
export function legsCsv ({ experiments }: StudyResult): string {
  const header = ['requirement', 'experiment', 'claim', 'leg', 'figure', 'of', 'status', 'before', 'after', 'value', 'lo', 'hi', 'source', 'because']
  return toCsv(header, experiments.flatMap(({ serves, id, results }) => results.flatMap((claim) => LEGS.flatMap((leg) => claim[leg].figures.map((figure) => [
    serves, id, claim.id, leg, figure.what, figure.of, figure.status, figure.compared?.[0], figure.compared?.[1], figure.value, figure.band?.[0], figure.band?.[1], figure.source, figure.because
  ])))))
}

export function studyContrastsCsv (results: ReadonlyMap<string, Result>): string {
  return toCsv(['experiment', ...CONTRAST_HEADER], [...results].flatMap(([id, { contrasts }]) => contrasts.map((contrast) => [id, ...contrastFields(contrast)])))
}

export function figuresCsv (results: ReadonlyMap<string, Result>): string {
  const header = ['experiment', 'condition', 'metric', 'unit', 'population', 'n', 'n_eff', 'mean', 'least_block', 'most_block', ...PERCENTILES.flatMap((p) => [p, `${p}_censored_above`, `${p}_ci95_lo`, `${p}_ci95_hi`])]
  return toCsv(header, [...results].flatMap(([id, { cells }]) => cells.map((cell) => [
    id, cell.condition, cell.metric, cell.unit, cell.population, cell.n, cell.nEff, cell.mean, cell.range?.[0], cell.range?.[1],
    ...PERCENTILES.flatMap((p) => [cell[p], cell.censoredAbove?.[p], cell.ci95?.[p]?.[0], cell.ci95?.[p]?.[1]])
  ])))
}

export function renderStudyMarkdown (study: StudyResult): string {
  const row = (fields: readonly string[]): string => `| ${fields.join(' | ')} |`
  const leftOut = study.leftOut.filter(({ because }) => because !== NOT_ASKED)
  return [
    `# What slows llama-server down, and what helps: study of ${study.createdAt.slice(0, 10)}, ${study.preset} preset`,
    '',
    `**${countsText(study)}**${study.ended === undefined ? '' : ` (ended early: ${study.ended})`}`,
    '',
    row(['requirement', 'asks', 'status', 'because']),
    row(['---', '---', '---', '---']),
    ...study.requirements.map(({ id, asks, status, because }) => row([escapeMarkdown(id), escapeMarkdown(asks), status, escapeMarkdown(because)])),
    '',
    row(['experiment', 'asks', 'verdict', 'what was seen', 'claims']),
    row(['---', '---', '---', '---', '---']),
    ...study.experiments.map((each) => row([
      escapeMarkdown(`${each.id} (${sizeText(each)})`), escapeMarkdown(each.question), verdictOf(each), escapeMarkdown(each.headline?.seen ?? each.error ?? 'not run'),
      escapeMarkdown(each.results.map((claim) => `${claim.status} (${[legMarks(claim), whyUnsupported(claim) ?? ''].filter((part) => part !== '').join('; ')}): ${claim.statement}`).join('; '))
    ])),
    ...(study.warnings.length === 0 ? [] : ['', ...study.warnings.map((warning) => `* ${escapeMarkdown(warning)}`)]),
    ...(leftOut.length === 0 ? [] : ['', 'Left out:', '', ...leftOut.map(({ id, because }) => `* ${escapeMarkdown(`${id}: ${because}`)}`)]),
    '',
    `Study plan sha256 ${study.planSha256}. Compute it again from the raw files: \`npx harness report DIR\`.`
  ].join('\n').replaceAll(NBSP, ' ') + '\n'
}

/** For a terminal of `width` columns. */
export function studySummary (study: StudyResult, width: number): string {
  const name = Math.max(12, ...study.requirements.map(({ id }) => id.length)) + 1
  return [
    ...wrap(countsText(study), width),
    '',
    ...study.requirements.flatMap(({ id, status, because }) => wrap(because, width, `${id.padEnd(name)}${status.padEnd(12)}`)),
    ...(study.warnings.length === 0 ? [] : ['', ...study.warnings.flatMap((warning) => wrap(warning, width, '! '))])
  ].join('\n') + '\n'
}
