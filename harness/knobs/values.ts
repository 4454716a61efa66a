import { UsageError } from '../usage-error.js'
import { parseCpuList } from '../run/placement.js'

const FACTORS: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }
/** The kernel's own bound on CPU numbers is 8,191. */
const HIGHEST_CPU = 8191

/** `cpu-quota=5: …` */
export function badValue (name: string, value: string, allowed: string): UsageError {
  return new UsageError(`${value === '' ? name : `${name}=${value}`}: ${allowed}`)
}

/** For knobs without a value. */
export function noValue (name: string, value: string): void {
  if (value !== '') throw badValue(name, value, `takes no value; write ${name}`)
}

export function wholeIn (name: string, value: string, min: number, max: number): number {
  const number = Number(value)
  if (!/^\d+$/.test(value) || number < min || number > max) throw badValue(name, value, `allowed are whole numbers from ${min} to ${max}, as in ${name}=${Math.max(min, 1)}`)
  return number
}

/** Milliseconds with up to three decimals, as whole microseconds. Undefined: not such a number. */
export function usecOf (ms: string): number | undefined {
  return /^\d+(\.\d{1,3})?$/.test(ms) ? Math.round(Number(ms) * 1000) : undefined
}

/** `64M`: suffixes are powers of 1,024. */
export function bytesOf (name: string, value: string, min: number): number {
  const [, digits = '', suffix = ''] = /^(\d+)([KMG]?)$/.exec(value) ?? []
  const bytes = Number(digits) * (FACTORS[suffix] ?? NaN)
  if (digits === '' || !Number.isSafeInteger(bytes) || bytes < min) throw badValue(name, value, `allowed are bytes from ${shown(min)} up, with K, M or G for powers of 1,024, as in ${name}=512M`)
  return bytes
}

/** `0-2,5`; `+` does for a comma where commas part the knobs. Each CPU once, in ascending order. */
export function cpusOf (name: string, value: string): number[] {
  const list = value.replaceAll('+', ',')
  const ends = list.split(/[,-]/).map(Number)
  const wellFormed = /^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(list) && ends.every(cpu => cpu <= HIGHEST_CPU)
  const cpus = wellFormed ? [...new Set(parseCpuList(list))].sort((a, b) => a - b) : []
  const backwards = list.split(',').some(part => { const [from = 0, to = from] = part.split('-').map(Number); return to < from })
  if (cpus.length === 0 || backwards) throw badValue(name, value, 'allowed are CPU numbers and ranges, joined by "," or "+", as in 0-1+3')
  return cpus
}

/** Bytes for people: `512 MiB`, `1.5 GiB`. */
export function shown (bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB']
  const step = bytes === 0 ? 0 : Math.min(3, Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** step).toLocaleString('en-US', { maximumFractionDigits: 1 })} ${units[step]}`
}

/** `0–2, 5` → `0,1,2,5`, so that two spellings of one list compare equal. */
export function sameCpus (a: string, b: string): boolean {
  return parseCpuList(a).join() === parseCpuList(b).join()
}
