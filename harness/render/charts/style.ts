/** One look for all charts: colour-blind-safe (Okabe and Ito), and each arm also has its own dash and shape, so that print in grey still tells them apart. */
import type { Arm } from '../../types.js'

export interface ArmStyle {
  readonly colour: string
  readonly dash: 'solid' | 'dashed'
  readonly symbol: 'circle' | 'triangle'
}

export const ARM_STYLES: Readonly<Record<Arm, ArmStyle>> = {
  before: { colour: '#d55e00', dash: 'dashed', symbol: 'circle' },
  after: { colour: '#0072b2', dash: 'solid', symbol: 'triangle' }
}

export const INK = '#222222'
export const FAINT = '#767676'
export const RULE = '#e3e3e3'
export const LIMIT = '#444444'
export const FONT = 'system-ui, "Segoe UI", Helvetica, Arial, sans-serif'
export const FONT_SIZE = 13

/** A cross of two strokes, for calls that were refused. */
export const CROSS = 'path://M1,0 L5,4 L9,0 L10,1 L6,5 L10,9 L9,10 L5,6 L1,10 L0,9 L4,5 L0,1 Z'

export interface Size {
  readonly width: number
  readonly height: number
}

/** Axis option shared by all charts: title in the middle with its unit, light rules. */
export function axis (name: string, where: 'x' | 'y', gap: number = where === 'x' ? 30 : 46) {
  return {
    name,
    nameLocation: 'middle' as const,
    nameGap: gap,
    nameTextStyle: { color: INK, fontSize: FONT_SIZE },
    axisLabel: { color: INK, fontSize: FONT_SIZE - 1, hideOverlap: true },
    axisLine: { show: true, lineStyle: { color: FAINT } },
    axisTick: { show: true, lineStyle: { color: FAINT } },
    splitLine: { show: where === 'y', lineStyle: { color: RULE } }
  }
}

export function legend (names: readonly { readonly name: string, readonly icon?: string }[]) {
  return { top: 4, left: 'center' as const, itemWidth: 30, itemHeight: 11, itemGap: 14, selectedMode: false as const, textStyle: { color: INK, fontSize: FONT_SIZE }, data: names.map((each) => ({ ...each })) }
}
