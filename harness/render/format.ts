/** How numbers become words, for every output alike. A value that is not there is `–`, never 0. */

export const MISSING = '–'
/** Keeps a number and its unit on one line. */
export const NBSP = '\u00a0'

function trimZeros (digits: string): string {
  return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits
}

function withThousands (digits: string): string {
  const [whole = '', fraction] = digits.split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',')
  return fraction === undefined ? grouped : `${grouped}.${fraction}`
}

function scientific (value: number): string {
  const [mantissa = '', exponent = ''] = value.toExponential(1).split('e')
  return `${trimZeros(mantissa)}e${exponent.replace('+', '')}`
}

/** Three significant digits, thousands separated; from 10 million on and below 0.001 in exponents, so never longer than 9 characters plus the sign. */
export function formatNumber (value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return MISSING
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '-∞'
  if (value === 0) return '0'
  const sign = value < 0 ? '-' : ''
  const size = Math.abs(value)
  if (size >= 9_999_999.5 || size < 0.001) return sign + scientific(size)
  if (size >= 999.5) return sign + withThousands(size.toFixed(0))
  return sign + trimZeros(Number(size.toPrecision(3)).toString())
}

/** A whole number with thousands separated: counts are never rounded. */
export function formatCount (value: number): string {
  return Number.isFinite(value) ? (value < 0 ? '-' : '') + withThousands(Math.abs(value).toFixed(0)) : MISSING
}

/** `1 slot`, `4 slots`. */
export function counted (n: number, noun: string): string {
  return `${formatCount(n)} ${noun}${n === 1 ? '' : 's'}`
}

export function formatInterval (interval: readonly [number, number] | null | undefined): string {
  if (interval === null || interval === undefined) return MISSING
  return `${formatNumber(interval[0])}–${formatNumber(interval[1])}`
}

/** Three significant digits, also when they are zeros: `1.00` says more of a ratio than `1`. */
function ratioDigits (ratio: number): string {
  return ratio >= 0.001 && ratio < 999.5 ? ratio.toPrecision(3) : formatNumber(ratio)
}

export function formatRatio (ratio: number | null): string {
  return ratio === null ? MISSING : `×${ratioDigits(ratio)}`
}

export function formatRatioInterval (interval: readonly [number, number] | null): string {
  return interval === null ? MISSING : `${ratioDigits(interval[0])}–${ratioDigits(interval[1])}`
}

/** Two significant digits; below 0.001 only that it is below. */
export function formatP (p: number | null | undefined): string {
  if (p === null || p === undefined || Number.isNaN(p)) return MISSING
  if (p < 0.001) return `<${NBSP}0.001`
  return trimZeros(Number(p.toPrecision(2)).toString())
}

export function formatPercent (share: number | null | undefined): string {
  return share === null || share === undefined ? MISSING : `${formatNumber(share * 100)}${NBSP}%`
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

export function formatBytes (bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${formatNumber(value)}${NBSP}${BYTE_UNITS[unit] ?? 'B'}`
}

/** `8 s`, `4 min 05 s`, `1 h 02 min`. */
export function formatSeconds (seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const pad = (part: number): string => String(part).padStart(2, '0')
  if (whole < 60) return `${whole}${NBSP}s`
  if (whole < 3600) return `${Math.floor(whole / 60)}${NBSP}min${NBSP}${pad(whole % 60)}${NBSP}s`
  return `${Math.floor(whole / 3600)}${NBSP}h${NBSP}${pad(Math.floor(whole % 3600 / 60))}${NBSP}min`
}
