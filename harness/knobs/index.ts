import { UsageError } from '../usage-error.js'
import type { Knob, KnobKind } from './contract.js'

const kinds: readonly KnobKind[] = []

export function knobNames (): string[] {
  return kinds.map(kind => kind.name).sort()
}

/** `NAME` or `NAME=VALUE` each. @throws UsageError that names the spec and what there is */
export function parseKnobs (specs: readonly string[]): Knob[] {
  return specs.map(spec => {
    const [name = '', ...value] = spec.split('=')
    const kind = kinds.find(each => each.name === name)
    if (kind === undefined) throw new UsageError(`no such knob: ${JSON.stringify(spec)}; there are ${knobNames().join(', ') || 'none'}`)
    return kind.parse(value.join('='))
  })
}
