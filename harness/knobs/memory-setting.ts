import type { Setting } from '../cgroups/contract.js'
import type { KnobKind } from './contract.js'
import { groupSettingKnob } from './group-setting.js'
import { bytesOf, shown } from './values.js'

/** Limits are rounded down to whole pages; the largest pages in use are of 64 KiB. */
const LARGEST_PAGE = 65_536

/** A knob in bytes or `max`, of llama-server's group. */
export function memorySetting (name: string, setting: Setting, what: string, describe: string): KnobKind {
  return {
    name,
    value: 'BYTES',
    describe,
    parse (value) {
      const asked = value === 'max' ? 'max' : String(bytesOf(name, value, 0))
      return groupSettingKnob({
        spec: `${name}=${value}`,
        name,
        title: `${what} ${asked === 'max' ? 'without limit' : shown(Number(asked))}`,
        controller: 'memory',
        setting,
        value: () => asked,
        matches: sameLimit
      })
    }
  }
}

/** The kernel's answer to a limit in bytes: the same, or the whole pages in it. */
export function sameLimit (asked: string, seen: string): boolean {
  if (asked === 'max' || seen === 'max') return asked === seen
  const roundedOff = Number(asked) - Number(seen)
  return roundedOff >= 0 && roundedOff < LARGEST_PAGE
}
