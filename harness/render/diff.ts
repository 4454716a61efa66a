/** Two runs beside each other, for a terminal. */
import { formatInterval, formatNumber, formatRatio, formatRatioInterval } from './format.js'
import { metricLabel, populationLabel } from './labels.js'
import { wrap } from './text.js'
import type { Difference, Likeness } from '../analyse/diff/keys.js'
import type { DiffRow, RunDiff, Side } from '../analyse/diff/ratios.js'
import type { Result } from '../types.js'

export interface DiffPage {
  readonly a: Result
  readonly b: Result
  readonly likeness: Likeness
  readonly diff: RunDiff
  /** All figures, not only those of the plan's outcomes and of latency. */
  readonly all: boolean
  readonly width: number
}

const USUAL = new Set(['ttft', 'itl', 'tpot', 'request-latency', 'tokens-per-second', 'good-per-second', 'good-per-capacity', 'capacity', 'refusal-cost'])

export function renderDiff ({ a, b, likeness, diff, all, width }: DiffPage): string {
  const shown = diff.figures.filter(({ metric }) => all || USUAL.has(metric))
  const hidden = diff.figures.length - shown.length
  return [
    ...wrap(`A ${a.experiment}, ${a.preset} preset, plan ${a.planSha256.slice(0, 12)}; B plan ${b.planSha256.slice(0, 12)}. Ratios are B ÷ A.`, width),
    ...(likeness.matter.length === 0 ? [] : ['', ...wrap('THESE RUNS ARE NOT ALIKE and are compared all the same, as asked (--anyway): a ratio may come from any of these keys.', width), ...differenceLines(likeness.matter, width)]),
    ...(likeness.mayDiffer.length === 0 ? [] : ['', 'May differ:', ...differenceLines(likeness.mayDiffer, width)]),
    ...[a, b].flatMap((result, i) => result.complete ? [] : ['', ...wrap(`${i === 0 ? 'A' : 'B'} is incomplete: ${result.blocks.length} blocks were finished`, width)]),
    ...group('Within each run (in pairs: what the machine did between the runs is not in it)', diff.contrasts, width),
    ...group('Figures (a machine that changed its speed between the runs is in them)', shown, width),
    ...(diff.figures.length + diff.contrasts.length === 0 ? ['', 'The two runs have no figure in common.'] : []),
    '',
    ...wrap('higher, lower: the interval lies beyond 1. same: it lies inside what does not matter. open: neither. described: a figure has no interval, as with one block. These are intervals, not tests: of many about one in twenty lies beyond 1 by chance.', width),
    ...(hidden === 0 ? [] : wrap(`${hidden} more figures: --all`, width))
  ].join('\n')
}

/** Key, then each side; hashes and lists stay readable. */
export function differenceLines (found: readonly Difference[], width: number): string[] {
  return found.flatMap(({ key, a, b }) => [...wrap(key, width, '  '), ...wrap(a, width, '    A  '), ...wrap(b, width, '    B  ')])
}

function group (title: string, rows: readonly DiffRow[], width: number): string[] {
  if (rows.length === 0) return []
  const heads = [...new Set(rows.map(head))]
  return ['', ...wrap(title, width), ...heads.flatMap((name) => [`  ${name}`, ...rows.filter((row) => head(row) === name).flatMap((row) => line(row, width))])]
}

function head ({ metric, unit, population, statistic }: DiffRow): string {
  const label = metricLabel(metric)
  return statistic === 'ratio' ? `${label}, ${populationLabel(population)}` : `${label}${unit === '' || unit === 'ratio' || label.endsWith('/s') ? '' : ` (${unit})`}, ${populationLabel(population)}`
}

function line ({ condition, statistic, a, b, ratio, ci95, finding }: DiffRow, width: number): string[] {
  const interval = ci95 === null ? '' : ` (${formatRatioInterval(ci95)})`
  return wrap(`${statistic === 'ratio' ? '' : `${statistic} `}${sideText(a)} → ${sideText(b)}: ${formatRatio(ratio)}${interval} ${finding}`, width, `    ${condition}  `)
}

function sideText ({ value, ci95 }: Side): string {
  return formatNumber(value) + (ci95 === null ? '' : ` (${formatInterval(ci95)})`)
}
