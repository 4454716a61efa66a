import { readFileSync } from 'node:fs'
import { packageRoot } from '../package-root.js'
import type { ToolName } from '../types.js'
import type { Report, Stamp } from './contract.js'

/** Output of a tool as it was recorded. */
export function recorded (name: string): string {
  return readFileSync(`${packageRoot()}/harness/tools/recorded/${name}.txt`, 'latin1')
}

/** The reports came a second apart from `fromMs` on, each in two pieces. */
export function stampsOf (tool: ToolName, text: string, reports: readonly Report<unknown>[], fromMs = 1000): Stamp[] {
  return reports.flatMap(({ offset }, index) => {
    const next = reports[index + 1]?.offset ?? text.length
    return [{ tool, bytes: offset + 1, atMs: fromMs + 1000 * index }, { tool, bytes: next, atMs: fromMs + 1000 * index + 3 }]
  })
}
