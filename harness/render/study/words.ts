import type { ExperimentFinding, StudyResult } from '../../study/findings.js'
import type { Claim, LegStatus } from '../../types.js'

/** `9 of 13 requirements supported, 22 of 31 claims, 18 of 18 experiments complete`. */
export function countsText ({ requirements, experiments }: StudyResult): string {
  const claims = experiments.flatMap(({ results }) => results)
  const supported = (list: ReadonlyArray<{ readonly status: string }>): number => list.filter(({ status }) => status === 'SUPPORTED').length
  return `${supported(requirements)} of ${requirements.length} requirements supported, ${supported(experiments.flatMap(({ complete, results }) => complete ? results : []))} of ${claims.length} claims, ${experiments.filter(({ complete }) => complete).length} of ${experiments.length} experiments complete`
}

const LEGS = [['A', 'application'], ['O', 'os'], ['C', 'control'], ['M', 'mechanism']] as const
const MARKS = { holds: '+', fails: '−', missing: '?' } as const

/** `A+ O+ C− M?`. */
export function legMarks (claim: Pick<Claim, 'application' | 'os' | 'control' | 'mechanism'>): string {
  return LEGS.map(([letter, key]) => `${letter}${MARKS[claim[key].status]}`).join(' ')
}

/** `SUPPORTED`, or what became of a run that is not whole: what its blocks say so far is no verdict. */
export function verdictOf ({ complete, outcome, headline }: ExperimentFinding): string {
  if (complete && headline !== undefined) return headline.word
  return outcome === 'failed' ? 'FAILED' : headline === undefined && outcome !== 'partial' ? 'NOT RUN' : 'INCOMPLETE'
}

const LEG_NAMES = { application: 'application', os: 'operating system', control: 'control', mechanism: 'mechanism' } as const

/** Of a claim that is not supported: `refuted by its control leg`, `operating system leg not measured`; undefined of one that is. */
export function whyUnsupported (claim: Claim): string | undefined {
  const legsOf = (status: LegStatus): string[] => LEGS.filter(([, key]) => claim[key].status === status).map(([, key]) => LEG_NAMES[key])
  const [failing, missing] = [legsOf('fails'), legsOf('missing')]
  const legs = (names: readonly string[]): string => `${names.join(' and ')} leg${names.length === 1 ? '' : 's'}`
  const parts = [...(failing.length === 0 ? [] : [`refuted by its ${legs(failing)}`]), ...(missing.length === 0 ? [] : [`${legs(missing)} not measured`])]
  return parts.length === 0 ? undefined : parts.join(', ')
}

/** `laptop size, 16 blocks`. */
export function sizeText ({ size, blocks }: Pick<ExperimentFinding, 'size' | 'blocks'>): string {
  return `${size.preset} size${size.repeats === undefined ? '' : `, ${size.repeats} repeat${size.repeats === 1 ? '' : 's'}`}, ${blocks} blocks`
}
