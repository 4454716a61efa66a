import { minutesText, NOT_ASKED, type StudyPlan } from '../../study/plan.js'
import { wrap } from '../text.js'
import { sizeText } from './words.js'

/** What will be run, how long it takes, and what it cannot show, before anything starts. */
export function studyPlanLines ({ preset, budgetMinutes, expectedSeconds, experiments, leftOut }: StudyPlan, width: number): string[] {
  const shown = leftOut.filter(({ because }) => because !== NOT_ASKED)
  const name = Math.max(12, ...[...experiments, ...shown].map(({ id }) => id.length)) + 1
  return [
    ...wrap(`${preset} preset: ${experiments.length} experiment${experiments.length === 1 ? '' : 's'}, about ${minutesText(expectedSeconds)} (a study has ${budgetMinutes} min)`, width),
    ...wrap('Times are estimates from typical speeds, or as measured on two virtual CPUs; a calibration tells better. Interference makes some longer.', width),
    '',
    ...experiments.flatMap((each, i) => [
      ...wrap(`${sizeText(each)}, about ${minutesText(each.expectedSeconds)}, ${each.host === 'vm' ? 'in the VM' : 'here'}`, width, `${String(i + 1).padStart(2)}  ${each.id.padEnd(name)}`),
      ...(each.cannotShow.length === 0 ? wrap('supports p50, p95, p99 and a verdict', width, '      ') : each.cannotShow.flatMap((line) => wrap(line, width, '      cannot show: ')))
    ]),
    ...(shown.length === 0 ? [] : ['', 'Left out:', ...shown.flatMap(({ id, because }) => wrap(because, width, `    ${id.padEnd(name)}`))])
  ]
}
