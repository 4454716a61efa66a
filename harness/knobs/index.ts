import { UsageError } from '../usage-error.js'
import type { Knob, KnobKind } from './contract.js'

export type { BeforeServer, Knob, KnobKind, ServerRunning, Undo } from './contract.js'

/** In the order in which they are applied, however they were typed. */
const KINDS: readonly KnobKind[] = []

/** All kinds, for help texts. */
export function knobKinds (): readonly KnobKind[] {
  return KINDS
}

export function knobNames (): string[] {
  return KINDS.map(kind => kind.name)
}

/**
 * `cpu-quota=500/1000`, `mlock`, …: one spec each. Returned in the order in which they must be applied (a quota before its burst).
 * @throws UsageError about an unknown name, a bad value, the same knob twice, or two that contradict each other
 */
export function parseKnobs (specs: readonly string[]): Knob[] {
  return specs.map(spec => {
    const [name = '', ...value] = spec.split('=')
    const kind = KINDS.find(kind => kind.name === name)
    if (kind === undefined) throw new UsageError(`no such knob: "${name}"; there are ${knobNames().join(', ')}`)
    return kind.parse(value.join('='))
  })
}
