import t from 'tap'
import { analyse } from './analyse.js'
import { pacedRun } from './testing-machine.js'

const invalid = ({ blocks }: ReturnType<typeof analyse>) => blocks.filter(({ valid }) => !valid).map(({ index, because }) => `${index}: ${because}`)

t.test('a pair that met unlike machines is left out, both blocks, and the report says why; a spare pair stands in for it', async t => {
  const run = pacedRun({ planned: 8, spare: 1, msPerToken: { 5: 26 } })
  const result = analyse(run, { cells: false })
  const because = 'pair 3 met unlike machines: CPU time per token in the closed loops of one of its blocks is 1.30 times that of the other'
  t.same(invalid(result), [`5: ${because}`, `6: ${because}`])
  t.equal(result.contrasts.find(({ primary }) => primary)?.n, 8)
  t.equal(result.complete, true)
  t.ok(result.warnings.includes(`blocks 5 (before), 6 (after) are invalid: ${because}`))
})

t.test('what counts is the difference within a pair, by more than the plan allows', async t => {
  t.same(invalid(analyse(pacedRun({ planned: 8, spare: 1, msPerToken: { 5: 26, 6: 26, 7: 23 } }), { cells: false })), [])
  t.same(invalid(analyse(pacedRun({ planned: 8, spare: 0, msPerToken: { 5: 26 } }), { cells: false })), [], 'a plan without spare pairs names no such rule')
})

t.test('blocks are compared by the closed loops that both have', async t => {
  const ratio = (again: Readonly<Record<number, number>>) => {
    const result = analyse(pacedRun({ planned: 8, spare: 1, msPerToken: {}, again }), { cells: false })
    return [invalid(result).length, result.contrasts.find(({ metric }) => metric === 'closed-loop-cpu-per-token')?.ratio?.toFixed(2)]
  }
  const afters = Object.fromEntries([2, 3, 6, 7, 10, 11, 14, 15, 18].map(index => [index, 24]))
  t.same(ratio(afters), [0, '1.00'], 'after an overload without admission there is no second one')
  t.same(ratio({ ...afters, ...Object.fromEntries([1, 4, 5, 8, 9, 12, 13, 16, 17].map(index => [index, 20])) }), [0, '1.10'])
})

t.test('a run is complete with its planned blocks, whatever spare ones there are', async t => {
  const run = pacedRun({ planned: 8, spare: 2, msPerToken: {} })
  const completeWithout = (...indices: number[]) => analyse({ ...run, blocks: run.blocks.filter(({ evidence }) => !indices.includes(evidence.plan.index)) }, { cells: false }).complete
  t.same([completeWithout(17, 18, 19, 20), completeWithout(18), completeWithout(3)], [true, true, false])
  t.same(invalid(analyse({ ...run, blocks: run.blocks.filter(({ evidence }) => evidence.plan.index < 18) }, { cells: false })), ['17: spare pair 9 was not finished'])
})
