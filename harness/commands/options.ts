import { InvalidArgumentError, Option } from 'commander'
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

/** 200 pairs of the shortest blocks take about half an hour. */
export function repeatsOption (describe: string): Option {
  return new Option('--repeats <n>', describe).argParser(wholeNumber(1, 200))
}

/** What the VM measures is rendered outside of it. */
export function noReportOption (): Option {
  return new Option('--no-report', 'measure only; harness report DIR makes the report').hideHelp()
}

/** `{ sloTtftMs: 5, json: true }` → `--slo-ttft-ms 5 --json`; what is undefined is left away. */
export function typedOptions (options: Readonly<Record<string, string | number | true | undefined>>): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined) return []
    const flag = `--${name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
    return value === true ? [flag] : [flag, String(value)]
  })
}
