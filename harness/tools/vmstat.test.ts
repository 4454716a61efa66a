import t from 'tap'
import { recorded, stampsOf } from './testing.js'
import { parseVmstat, vmstatTotals } from './vmstat.js'

t.test('procps 4.0.2, without its first report, which is since boot', async t => {
  const text = recorded('vmstat-4.0.2')
  t.same(parseVmstat(text).map(({ values }) => values), [
    { contextSwitches: 2939, swapInKiB: 0, swapOutKiB: 0, runnable: 3, stealPercent: 0 },
    { contextSwitches: 2861, swapInKiB: 0, swapOutKiB: 0, runnable: 3, stealPercent: 0 }
  ])
})

t.test('a column more (guests, procps 4.0.4), and a last line that was cut', async t => {
  const line = (cs: number): string => ` 1  0  10 1 1 1  4 8  0 0 9 ${cs} 1 1 90 0 6  0\n`
  const text = 'procps -----------memory----------\n r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st gu\n' + line(1) + line(100) + line(200) + line(300).trimEnd()
  const reports = parseVmstat(text)
  t.equal(reports.length, 2)
  t.same(vmstatTotals(text, stampsOf('vmstat', text, reports), { fromMs: 0, toMs: 9000 }), { fromMs: 1000, toMs: 2000, contextSwitches: 200, swapInBytes: 4096, swapOutBytes: 8192, runnable: 1, stealShare: 0.06 })
})
