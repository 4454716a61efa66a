import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../replace-file.js'
import { resultSchema } from '../result-schema.js'
import { standalone } from './charts/svg.js'
import { renderCharts } from './charts.js'
import { blocksCsv, callsCsv, cellsCsv, contrastsCsv } from './csv.js'
import { renderHtml } from './html.js'
import { renderMarkdown } from './markdown.js'
import type { REPORT_FILES } from './sections/files.js'
import type { Evidence, Result } from '../types.js'

export { renderHtml } from './html.js'
export { renderMarkdown } from './markdown.js'
export { createProgress } from './progress.js'
export { renderSummary } from './summary.js'
export type { Progress } from './progress.js'
export type { SummaryOptions } from './summary.js'

type FileName = typeof REPORT_FILES[number]

/** Folder of the charts, beside them. */
const CHARTS = 'charts'

/** Writes all report files into `dir` (made when missing) and returns their paths. Everything is rendered before the first file is touched. */
export async function writeReport (dir: string, evidence: Evidence, result: Result): Promise<string[]> {
  const texts: Readonly<Record<FileName, string>> = {
    'result.json': `${JSON.stringify(result, null, 2)}\n`,
    'result.schema.json': `${JSON.stringify(resultSchema, null, 2)}\n`,
    'report.html': renderHtml(evidence, result),
    'report.md': renderMarkdown(result),
    'cells.csv': cellsCsv(result),
    'contrasts.csv': contrastsCsv(result),
    'blocks.csv': blocksCsv(result),
    'calls.csv': callsCsv(evidence)
  }
  const charts = renderCharts(evidence, result).map(({ id, wide }) => [id, standalone(wide)] as const)
  const paths: string[] = []
  const write = async (name: string, text: string): Promise<void> => {
    const path = join(dir, name)
    await replaceFile(path, text)
    paths.push(path)
  }
  await mkdir(dir, { recursive: true })
  for (const [name, text] of Object.entries(texts)) await write(name, text)
  await mkdir(join(dir, CHARTS), { recursive: true })
  for (const [id, svg] of charts) await write(`${CHARTS}/${id}.svg`, svg)
  return paths
}
