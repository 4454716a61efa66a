import type { Claim, Evidence, Leg } from '../../types.js'
import { analyse } from '../analyse.js'

/** The first claim that the shipped analysis makes of this evidence. For tests only. */
export function claim (evidence: Evidence): Claim {
  const found = analyse(evidence, { cells: false }).claims[0]
  if (found === undefined) throw new Error('no claim')
  return found
}

export function legs ({ application, os, control, mechanism }: Claim): Record<string, Leg['status']> {
  return { application: application.status, os: os.status, control: control.status, mechanism: mechanism.status }
}

/** What `legs` gives of a supported claim. */
export const all = { application: 'holds', os: 'holds', control: 'holds', mechanism: 'holds' } as const
