import type { BlockTools, ToolName, ToolWindow } from '../types.js'
import type { Stamp, Tool } from './contract.js'
import { iostat, iostatTotals } from './iostat.js'
import { perf, perfTotals } from './perf.js'
import { pidstat, pidstatTotals } from './pidstat.js'
import { vmstat, vmstatTotals } from './vmstat.js'

/** The second source of what the sampler reads from /proc and cgroups. (`ss` is run by the sampler itself: there is no reading of our own beside it.) */
export const tools: readonly Tool[] = [pidstat, iostat, vmstat, perf]

/** What each tool counted in the window. `output`: what it printed, as latin1; undefined: it did not run. */
export function toolTotals (output: (tool: ToolName) => string | undefined, stamps: readonly Stamp[], window: ToolWindow): BlockTools {
  function of<T> (tool: ToolName, totals: (text: string, stamps: readonly Stamp[], window: ToolWindow) => T | undefined): T | undefined {
    return totals(output(tool) ?? '', stamps.filter(stamp => stamp.tool === tool), window)
  }
  const found = { pidstat: of('pidstat', pidstatTotals), iostat: of('iostat', iostatTotals), vmstat: of('vmstat', vmstatTotals), perf: of('perf', perfTotals) }
  return {
    ...(found.pidstat === undefined ? {} : { pidstat: found.pidstat }),
    ...(found.iostat === undefined ? {} : { iostat: found.iostat }),
    ...(found.vmstat === undefined ? {} : { vmstat: found.vmstat }),
    ...(found.perf === undefined ? {} : { perf: found.perf })
  }
}
