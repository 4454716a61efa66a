/** Runs ECharts without a browser: option in, one `<svg>` out. */
import * as echarts from 'echarts/core'
import { CustomChart, LineChart, ScatterChart } from 'echarts/charts'
import { GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, TitleComponent } from 'echarts/components'
import { SVGRenderer } from 'echarts/renderers'
import type { EChartsCoreOption } from 'echarts/core'
import { FONT, FONT_SIZE, INK } from './style.js'
import { escapeHtml } from '../markup.js'
import type { Size } from './style.js'

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

function tidy (svg: string, id: string, label: string): string {
  return svg
    .replace(/ xmlns(:\w+)?="[^"]*"/g, '')
    .replace(/\bzr\d+-/g, `${id}-`)
    .replace(/ ecmeta_\w+="[^"]*"/g, '')
    .replace(/<svg width="[^"]*" height="[^"]*"/, '<svg')
    .replace(/^<svg([^>]*)>/, (_, attributes: string) => `<svg${attributes} role="img" aria-label="${escapeHtml(label)}">`)
}
