import { InvalidArgumentError } from 'commander'
import { presets, type Preset } from '../plan/presets.js'

/** A commander parser for whole numbers in bounds; its error says the value and what is allowed. */
export function wholeNumber (min: number, max: number): (text: string) => number {
  return text => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < min || value > max) throw new InvalidArgumentError(`Allowed are whole numbers from ${min} to ${max}.`)
    return value
  }
}

export function presetHelp (describe: (preset: Preset) => string): string {
  return Object.values(presets).map(preset => `${preset.name}: ${describe(preset)}`).join('; ')
}
