/** One look for all charts: colour-blind-safe (Okabe and Ito), and each condition also has its own dash and shape, so that print in grey still tells them apart. */
import { formatNumber } from '../format.js'
import type { Result } from '../../types.js'

export interface ConditionStyle {
  readonly colour: string
  readonly dash: 'solid' | 'dashed' | 'dotted'
  readonly symbol: 'circle' | 'triangle' | 'rect' | 'diamond'
}

export const WORSE_COLOUR = '#d55e00'
export const BETTER_COLOUR = '#0072b2'

const COLOURS = [WORSE_COLOUR, BETTER_COLOUR, '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#5b5b5b'] as const
const DASHES = ['dashed', 'solid', 'dotted'] as const
const SYMBOLS = ['circle', 'triangle', 'rect', 'diamond'] as const

/** By the place of the condition in the result; the three cycles have no common length, so that 84 conditions differ. */
export function styleOf ({ conditions }: Pick<Result, 'conditions'>, id: string): ConditionStyle {
  return styleAt(Math.max(0, conditions.findIndex((condition) => condition.id === id)))
}

export function styleAt (place: number): ConditionStyle {
  return { colour: at(COLOURS, place), dash: at(DASHES, place), symbol: at(SYMBOLS, place) }
}

function at<T> (items: readonly [T, ...T[]], place: number): T {
  return items[place % items.length] ?? items[0]
}

export const INK = '#222222'
export const FAINT = '#767676'
export const RULE = '#e3e3e3'
export const LIMIT = '#444444'
export const FONT = "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif"
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

/** A linear axis; `label` and the rest go over the common look. */
export function valueAxis (name: string, where: 'x' | 'y', { gap, label = {}, ...rest }: { readonly gap?: number, readonly label?: object, readonly [option: string]: unknown } = {}) {
  const base = axis(name, where, gap)
  return { ...base, type: 'value' as const, ...rest, axisLabel: { ...base.axisLabel, ...label } }
}

/** Dotted lines at the limits of the classes, across the axis that shows the time to first token. */
export function limitLines (ttftLimitMs: Readonly<Record<string, number>>, across: 'xAxis' | 'yAxis', place: (limitMs: number) => number) {
  const limits = Object.entries(ttftLimitMs)
  return {
    symbol: 'none',
    silent: true,
    lineStyle: { color: LIMIT, type: 'dotted', width: 2 },
    label: { color: INK, fontSize: FONT_SIZE - 1, position: across === 'xAxis' ? 'end' : 'insideEndTop', formatter: '{b}' },
    data: limits.map(([cls, ms]) => ({ [across]: place(ms), name: `limit${limits.length > 1 ? ` ${cls}` : ''} ${formatNumber(ms)} ms` }))
  }
}

export function legend (names: readonly { readonly name: string, readonly icon?: string }[]) {
  return { top: 4, left: 'center' as const, itemWidth: 30, itemHeight: 11, itemGap: 14, selectedMode: false as const, textStyle: { color: INK, fontSize: FONT_SIZE }, data: names.map((each) => ({ ...each })) }
}
