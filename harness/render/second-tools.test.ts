import t from 'tap'
import type { CrossCheck } from '../types.js'
import { agreements } from './second-tools.js'
import { secondToolsSection } from './sections/second-tools.js'
import { renderSummary } from './summary.js'
import { fakeRun } from './testing.js'

const check = (theirs: number, agrees: boolean): CrossCheck => ({ quantity: 'minor faults', unit: 'faults', tool: 'pidstat minflt/s', source: '/proc/PID/stat', theirs, ours: 100, tolerance: 20, agrees })

t.test('blocks are summed up by quantity and tool', async t => {
  const { result } = fakeRun()
  const [first, second] = result.blocks
  const checked = { ...result, blocks: [{ ...first, crossChecks: [check(101, true), { ...check(7, true), tool: 'perf minor-faults' }] }, { ...second, crossChecks: [check(150, false)] }] } as typeof result
  t.same(agreements(checked).map(({ tool, blocks, agreeing, theirs, ours }) => [tool, blocks, agreeing, theirs, ours]), [['pidstat minflt/s', 2, 1, 251, 200], ['perf minor-faults', 1, 1, 7, 100]])
  const page = String(secondToolsSection(checked))
  t.match(page, /minor faults.*pidstat minflt\/s.*251 faults.*\/proc\/PID\/stat.*200 faults.*1 of 2/)
  t.match(renderSummary(checked, { colour: false, width: 100 }), /2 of 3 comparisons of 2 quantities with pidstat, perf agree within 2 %/)
})

t.test('a run without other tools says nothing', async t => {
  const { result } = fakeRun()
  t.same(agreements(result), [])
  t.equal(secondToolsSection(result), undefined)
})
