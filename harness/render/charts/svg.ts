/** Runs ECharts without a browser: option in, one `<svg>` out. */
import * as echarts from 'echarts/core'
import { CustomChart, LineChart, ScatterChart } from 'echarts/charts'
import { GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, TitleComponent } from 'echarts/components'
import { SVGRenderer } from 'echarts/renderers'
import type { EChartsCoreOption } from 'echarts/core'
import { FONT, FONT_SIZE, INK } from './style.js'
import { escapeHtml } from '../markup.js'
import { columns } from '../text.js'
import type { Size } from './style.js'

/** No browser measures for us, and the reader's font is unknown: assume a broad one, so that labels never touch. */
const COLUMN_EM = 0.62

echarts.setPlatformAPI({
  measureText (text, font) {
    const sizePx = Number(/(\d+(?:\.\d+)?)px/.exec(font ?? '')?.[1] ?? FONT_SIZE)
    return { width: columns(text) * sizePx * COLUMN_EM }
  }
})

echarts.use([CustomChart, LineChart, ScatterChart, GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, TitleComponent, SVGRenderer])

/**
 * The same option gives the same text. `id` must be unique in the page: the ids inside the SVG start with it.
 * `label` is what a screen reader says. The SVG scales with its box (viewBox) and refers to nothing outside itself.
 */
export function renderSvg (id: string, label: string, option: EChartsCoreOption, size: Size): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: size.width, height: size.height })
  try {
    chart.setOption({ animation: false, backgroundColor: '#ffffff', textStyle: { fontFamily: FONT, fontSize: FONT_SIZE, color: INK }, ...option })
    return tidy(chart.renderToSVGString(), id, label)
  } finally {
    chart.dispose()
  }
}

/** As a file of its own; in a page the name of its language is known. */
export function standalone (svg: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${svg.replace(/^<svg/, '<svg xmlns="http://www.w3.org/2000/svg"')}\n`
}

function tidy (svg: string, id: string, label: string): string {
  return svg
    .replace(/ xmlns(:\w+)?="[^"]*"/g, '')
    .replace(/\bzr\d+-/g, `${id}-`)
    .replace(/ d="[^"]*"/g, (path) => path.replace(/\d+\.\d{2,}/g, (number) => String(Number(Number(number).toFixed(1)))))
    // Styles for a pointer over the chart: of no use without a script, and numbered across all charts ever drawn.
    .replace(/<style[^>]*>[\s\S]*?<\/style>/g, '')
    .replace(/ (class|pointer-events)="[^"]*"/g, '')
    .replace(/ ecmeta_\w+="[^"]*"/g, '')
    .replace(/<svg width="[^"]*" height="[^"]*"/, '<svg')
    .replace(/^<svg([^>]*)>/, (_, attributes: string) => `<svg${attributes} role="img" aria-label="${escapeHtml(label)}">`)
}
