/** A run's report as a part of a larger page. */
import { reportSections } from '../html.js'
import type { Evidence, Result } from '../../types.js'

/**
 * HTML of all sections, with ids of its own, headings one level lower, and each chart once, for a wide page. Text that was read is escaped in it, so that a quotation mark
 * is markup.
 */
export function reportFragment (id: string, evidence: Evidence, result: Result): string {
  return reportSections(evidence, result).toString()
    .replace(/<div class="plot narrow">[\s\S]*?<\/div>/g, '')
    .replace(/(\s(?:id|href|aria-labelledby)=")(#?)([^"]*)"/g, (_, start: string, hash: string, name: string) => `${start}${hash}${id}--${name}"`)
    .replace(/="url\(#([^)]*)\)"/g, (_, name: string) => `="url(#${id}--${name})"`)
    .replace(/<(\/?)h([1-4])([ >])/g, (_, slash: string, level: string, end: string) => `<${slash}h${Number(level) + 1}${end}`)
}
