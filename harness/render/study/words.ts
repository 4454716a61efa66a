import type { ExperimentFinding, StudyResult } from '../../study/findings.js'
import type { Claim } from '../../types.js'

/** `9 of 13 requirements supported, 22 of 31 claims, 18 of 18 experiments complete`. */
export function countsText ({ requirements, experiments }: StudyResult): string {
  const claims = experiments.flatMap(({ results }) => results)
  const supported = (list: ReadonlyArray<{ readonly status: string }>): number => list.filter(({ status }) => status === 'SUPPORTED').length
  return `${supported(requirements)} of ${requirements.length} requirements supported, ${supported(claims)} of ${claims.length} claims, ${experiments.filter(({ complete }) => complete).length} of ${experiments.length} experiments complete`
}

const LEGS = [['A', 'application'], ['O', 'os'], ['C', 'control'], ['M', 'mechanism']] as const
const MARKS = { holds: '+', fails: '−', missing: '?' } as const

/** `A+ O+ C− M?`. */
export function legMarks (claim: Pick<Claim, 'application' | 'os' | 'control' | 'mechanism'>): string {
  return LEGS.map(([letter, key]) => `${letter}${MARKS[claim[key].status]}`).join(' ')
}

/** `laptop size, 16 blocks`. */
export function sizeText ({ size, blocks }: Pick<ExperimentFinding, 'size' | 'blocks'>): string {
  return `${size.preset} size${size.repeats === undefined ? '' : `, ${size.repeats} repeat${size.repeats === 1 ? '' : 's'}`}, ${blocks} blocks`
}
