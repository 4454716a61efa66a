/** A short report for a pull request or an issue. */
import { counted, formatCount, formatNumber, NBSP } from './format.js'
import { isStreams } from '../analyse/plan-kind.js'
import { conditionColumns, factorNames, factorText } from './condition-table.js'
import { allWarnings, contrastText, headline } from './headline.js'
import { metricLabel, PERCENTILES, verdictWord } from './labels.js'
import { missingNotes, percentileText, rowLabel, rows, secondaryContrasts, YARDSTICK, yardstickText } from './lookup.js'
import { sanitise } from './text.js'
import type { Result, StreamsResult } from '../types.js'

/** Text that was read must not become markup, a link, a mention or a table cell. */
export function escapeMarkdown (text: string): string {
  return sanitise(text).replace(/[\\`*_[\]<>|~#]/g, (character) => `\\${character}`).replaceAll('@', '@\u200b')
}

function tableRow (fields: readonly string[]): string {
  return `| ${fields.join(' | ')} |`
}

function cellTable (result: Result): string[] {
  const all = rows(result)
  if (all.length === 0) return ['No cell could be computed from the evidence.']
  const header = ['measured, population', 'condition', ...PERCENTILES, 'mean', 'n', 'n_eff']
  const notes = missingNotes(result).map((note) => `* ${escapeMarkdown(note)}`)
  return [
    tableRow(header),
    tableRow(header.map((_, index) => index < 2 ? '---' : '---:')),
    ...all.flatMap((row) => row.cells.map((cell) => tableRow([
      escapeMarkdown(rowLabel(row)), cell.condition, ...PERCENTILES.map((percentile) => escapeMarkdown(percentileText(cell, percentile))), formatNumber(cell.mean), formatCount(cell.n), formatNumber(cell.nEff)
    ]))),
    ...(notes.length === 0 ? [] : ['', ...notes])
  ]
}

function conditionTable (result: StreamsResult): string[] {
  const [factors, columns] = [factorNames(result), conditionColumns(result)]
  return [
    tableRow(['condition', ...factors.map(escapeMarkdown), ...columns.map(({ title }) => title)]),
    tableRow(['---', ...[...factors, ...columns].map(() => '---:')]),
    ...result.conditions.map(({ id, factors: doses }) => tableRow([escapeMarkdown(id), ...factors.map((name) => escapeMarkdown(factorText(doses[name]))), ...columns.map(({ text }) => escapeMarkdown(text(id)))])),
    '',
    ...result.conditions.map(({ id, title }) => `* ${escapeMarkdown(id)}: ${escapeMarkdown(title)}`)
  ]
}

function block (title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `## ${title}`, '', ...lines]
}

export function renderMarkdown (result: Result): string {
  const { word, says, because } = headline(result)
  const yardstick = yardstickText(result)
  const { model, server } = result.manifest
  return [
    `# ${escapeMarkdown(result.question)}`,
    '',
    `**${word}** ${escapeMarkdown(says)}`,
    ...(because === '' ? [] : ['', escapeMarkdown(because)]),
    ...(yardstick === undefined ? [] : ['', `${metricLabel(YARDSTICK)}: ${escapeMarkdown(yardstick)}`]),
    '',
    `${escapeMarkdown(result.experiment)}, ${result.preset} preset; ${escapeMarkdown(model.name)}${model.synthetic ? ' (synthetic weights)' : ''}; llama-server ${escapeMarkdown(server.version)}, ${counted(server.slots, 'slot')}, ${counted(server.threads, 'thread')}; ${escapeMarkdown(result.manifest.cpuModel)}, ${result.manifest.cpus} CPUs.`,
    ...(isStreams(result) ? block('Conditions', conditionTable(result)) : block(result.design === 'pairs' ? 'Before and after' : 'Conditions', cellTable(result))),
    ...block(result.design === 'sweep' ? 'Against the baseline' : 'Secondary outcomes', secondaryContrasts(result).map((contrast) => `* **${verdictWord(contrast.verdict)}** ${escapeMarkdown(contrastText(result, contrast))}`)),
    ...block('Claim', result.claims.flatMap((claim) => [
      `**${claim.status}** ${escapeMarkdown(claim.statement)}`,
      '',
      ...(['application', 'os', 'control', 'mechanism'] as const).map((leg) => `* ${leg}: **${claim[leg].status}** ${escapeMarkdown(claim[leg].statement)} (${escapeMarkdown(claim[leg].source)})`),
      ''
    ])),
    ...block('Refused, failed, unanswered', result.counts.map((count) => `* ${escapeMarkdown(count.condition)}: ${formatCount(count.n)} ${escapeMarkdown(count.outcome)}${count.reason === '' ? '' : ` (${escapeMarkdown(count.reason)})`}`)),
    ...block('Warnings', allWarnings(result).map((warning) => `* ${escapeMarkdown(warning)}`)),
    '',
    `Plan sha256 ${result.planSha256}. Compute it again from the raw files: \`npx harness report DIR\`.`
  ].join('\n').replaceAll(NBSP, ' ') + '\n'
}
