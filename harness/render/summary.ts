/** The result for a terminal, verdict first. */
import { counted, formatCount, formatNumber, formatRatio } from './format.js'
import { conditionColumns } from './condition-table.js'
import { allDescribed, allWarnings, contrastNumbers, contrastText, headline } from './headline.js'
import { conditionIds, metricLabel, PERCENTILES, verdictWord } from './labels.js'
import { missingNotes, percentileText, rowLabel, rows, secondaryContrasts, YARDSTICK, yardstickText } from './lookup.js'
import { isStreams } from '../analyse/plan-kind.js'
import { agreements } from './second-tools.js'
import { columns, cut, padEnd, padStart, painter, wrap } from './text.js'
import type { Ink, Paint } from './text.js'
import type { Contrast, ContrastVerdict, Result, StreamsResult } from '../types.js'

export interface SummaryOptions {
  readonly colour: boolean
  /** Columns; no line is longer. At least 60. */
  readonly width: number
  /** Files of the report, shown at the end. */
  readonly paths?: readonly string[]
}

const INKS: Readonly<Record<ContrastVerdict, Ink>> = { better: 'green', worse: 'red', equivalent: 'cyan', 'cannot say': 'yellow' }

interface Page {
  readonly result: Result
  readonly width: number
  readonly paint: Paint
}

/** Paints the first word of wrapped lines, so that colour never counts as width. */
function lead (page: Page, ink: Ink, word: string, gap: string, text: string): string[] {
  const lines = wrap(text, page.width, word + gap)
  return lines.map((line, index) => index === 0 ? page.paint(ink, word) + line.slice(word.length) : line)
}

function verdictLines (page: Page): string[] {
  const { result } = page
  const { word, verdict, says, because } = headline(result)
  const lines = lead(page, verdict === undefined ? 'yellow' : INKS[verdict], word, '  ', says)
  if (because !== '') lines.push(...wrap(because, page.width, ' '.repeat(word.length + 2)))
  const yardstick = yardstickText(result)
  if (yardstick !== undefined) lines.push(...wrap(`${metricLabel(YARDSTICK)}: ${yardstick}`, page.width, ' '.repeat(word.length + 2)))
  return lines
}

function subjectLines (page: Page): string[] {
  const { result, width } = page
  const { model, server } = result.manifest
  const lines = wrap(`${result.question} (${result.experiment}, ${result.preset} preset)`, width)
  for (const { id, title } of result.conditions) lines.push(...wrap(title, width, padEnd(`${cut(id, MOST_ID)} `, idWidth(result) + 1)))
  if (result.quiet) lines.push(...wrap('the interference that this is meant against was left out', width, padEnd('quiet ', idWidth(result) + 1)))
  for (const effect of result.effects) lines.push(...wrap(effect, width))
  lines.push(...wrap(`${model.name}${model.synthetic ? ' (synthetic weights)' : ''}, llama-server ${server.version}, ${counted(server.slots, 'slot')}, ${counted(server.threads, 'thread')}`, width, padEnd('model ', idWidth(result) + 1)))
  return lines
}

/** Longest id that is shown whole. */
const MOST_ID = 22

function idWidth ({ conditions }: Result): number {
  return Math.max(7, ...conditions.map(({ id }) => Math.min(MOST_ID, columns(id))))
}

/** As many columns as fit, the weightiest first. */
function conditionLines ({ paint, width }: Page, result: StreamsResult): string[] {
  const first = idWidth(result) + 1
  const each = 9
  const shown = conditionColumns(result).slice(0, Math.floor((width - first) / each))
  const line = (id: string, texts: readonly string[]): string => (padEnd(cut(id, first - 1), first) + texts.map((text) => padStart(cut(text, each - 1), each)).join('')).trimEnd()
  return [paint('bold', line('', shown.map(({ short }) => short))), ...result.conditions.map(({ id }) => line(id, shown.map(({ text }) => text(id))))]
}

function tableLines (page: Page): string[] {
  const { result, width, paint } = page
  const cells = [10, 10, 10, 9, 8]
  const label = width - cells.reduce((sum, each) => sum + each, 0) - 7
  const line = (name: string, arm: string, values: readonly string[]): string =>
    (padEnd(cut(name, label - 1), label) + padEnd(cut(arm, 6), 7) + values.map((value, index) => padStart(cut(value, (cells[index] ?? 8) - 1), cells[index] ?? 8)).join('')).trimEnd()
  const all = rows(result)
  if (all.length === 0) return ['No cell could be computed.']
  const lines = [paint('bold', line('', '', [...PERCENTILES, 'n', 'n_eff']))]
  for (const row of all) {
    const [name = '', ...rest] = wrap(rowLabel(row), label - 1)
    row.cells.forEach((cell, index) => {
      const values = [...PERCENTILES.map((percentile) => percentileText(cell, percentile)), formatCount(cell.n), formatNumber(cell.nEff)]
      lines.push(line(index === 0 ? name : rest[index - 1] ?? '', cell.condition, values))
    })
    rest.slice(row.cells.length - 1).forEach((each) => lines.push(each))
  }
  for (const note of missingNotes(result)) lines.push(...wrap(note.slice(2), width, '– ').map((each) => paint('dim', each)))
  return lines
}

function contrastLines (page: Page): string[] {
  const secondary = secondaryContrasts(page.result)
  return secondary.flatMap((contrast) => {
    const word = verdictWord(contrast.verdict)
    return lead(page, INKS[contrast.verdict], word, ' '.repeat(12 - word.length), contrastText(page.result, contrast))
  })
}

/** One line for each condition of a sweep; what all have in common is said once. */
function againstBaseline ({ result, width }: Page): string[] {
  const described = allDescribed(result)
  const text = (contrast: Contrast): string => described
    ? `${metricLabel(contrast.metric)} ${contrast.ratio === null ? 'no ratio' : formatRatio(contrast.ratio)}`
    : `${metricLabel(contrast.metric)} ${contrastNumbers(contrast)}: ${contrast.verdict}`
  const lines = result.conditions.flatMap(({ id, baseline }) => {
    const own = result.contrasts.filter((contrast) => contrast.b === id && contrast.a === baseline)
    if (baseline === undefined || own.length === 0) return []
    return wrap(`÷ ${baseline}: ${own.map(text).join(described ? ', ' : '; ')}`, width, padEnd(`${cut(id, MOST_ID)} `, idWidth(result) + 1))
  })
  return lines.length > 0 && described ? [...lines, 'described, not judged: too few repeats'] : lines
}

/** In a sweep only what was not answered: there are many conditions. */
function countLines ({ result, width }: Page): string[] {
  return conditionIds(result).flatMap((id) => {
    const own = result.counts.filter((count) => count.condition === id)
    if (own.length === 0 || (result.design === 'sweep' && own.every((count) => count.outcome === 'answered'))) return []
    return wrap(own.map((count) => `${formatCount(count.n)} ${count.outcome}${count.reason === '' ? '' : ` (${count.reason})`}`).join(', '), width, padEnd(`${cut(id, MOST_ID)} `, idWidth(result) + 1))
  })
}

function claimLines (page: Page): string[] {
  return page.result.claims.flatMap((claim) => {
    const lines = lead(page, claim.status === 'SUPPORTED' ? 'green' : 'red', claim.status, '  ', claim.statement)
    for (const leg of ['application', 'os', 'control', 'mechanism'] as const) {
      const { status, statement, source } = claim[leg]
      lines.push(...wrap(`${statement} [${source}]`, page.width, `  ${leg.padEnd(12)}${status.padEnd(8)}`))
    }
    return lines
  })
}

function agreementLines ({ result, width }: Page): string[] {
  const found = agreements(result)
  if (found.length === 0) return []
  const sum = (pick: (one: typeof found[number]) => number): number => found.reduce((sum, one) => sum + pick(one), 0)
  const others = [...new Set(found.map(({ tool }) => tool.split(' ')[0] ?? tool))]
  return wrap(`${formatCount(sum(one => one.agreeing))} of ${formatCount(sum(one => one.blocks))} comparisons of ${found.length} quantities with ${others.join(', ')} agree within 2 %`, width)
}

function section (page: Page, title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', page.paint('bold', title), ...lines]
}

export function renderSummary (result: Result, options: SummaryOptions): string {
  const page = { result, width: Math.max(60, Math.floor(options.width)), paint: painter(options.colour) }
  return [
    ...verdictLines(page),
    '',
    ...subjectLines(page),
    ...(isStreams(result) ? section(page, 'Conditions', conditionLines(page, result)) : section(page, result.design === 'pairs' ? 'Before and after' : 'Conditions', tableLines(page))),
    ...section(page, result.design === 'sweep' ? 'Against the baseline' : 'Secondary outcomes', result.design === 'sweep' ? againstBaseline(page) : contrastLines(page)),
    ...section(page, 'Refused, failed, unanswered', countLines(page)),
    ...section(page, 'Claim', claimLines(page)),
    ...section(page, 'Two tools, one quantity', agreementLines(page)),
    ...section(page, 'Warnings', allWarnings(result).flatMap((warning) => lead(page, 'yellow', '!', ' ', warning))),
    ...section(page, 'Files', (options.paths ?? []).flatMap((path) => wrap(path, page.width)))
  ].join('\n') + '\n'
}
