import t from 'tap'
import { analyse } from '../analyse.js'
import { simulateMemory, type MemorySimulation } from '../testing-memory.js'
import type { Block, Claim } from '../../types.js'
import { all, legs } from './testing.js'

function claim (name: string, options: Partial<MemorySimulation> = {}): Claim {
  const [found] = analyse(simulateMemory(name, options), { cells: false }).claims
  if (found === undefined) throw new Error('no claim')
  return found
}

const inAfter = (name: string, change: (block: Block) => Block): Claim => claim(name, { change: (block, { id }) => id === 'after' ? change(block) : block })
const withEnd = (block: Block, counters: Record<string, number>): Block => ({ ...block, evidence: { ...block.evidence, groupCountersAtEnd: { ...block.evidence.groupCountersAtEnd, ...counters } } })
const withoutSource = (source: 'process' | 'disk') => (block: Block): Block => {
  const { [source]: _, ...rest } = block.evidence.osAtStart ?? {}
  return { ...block, evidence: { ...block.evidence, osAtStart: rest } }
}
const withoutRead = (what: string) => (block: Block): Block => ({ ...block, evidence: { ...block.evidence, readBack: Object.fromEntries(Object.entries(block.evidence.readBack).filter(([key]) => key !== what)) } })

for (const name of ['mlock', 'memory-protect', 'no-swap', 'preload']) {
  t.test(`${name}: supported under its interference, equivalent on the quiet host`, async t => {
    const cured = claim(name)
    t.same(legs(cured), all, JSON.stringify(cured, null, 1))
    t.equal(cured.status, 'SUPPORTED')
    const quiet = claim(name, { quiet: true })
    t.same(legs(quiet), all, JSON.stringify(quiet, null, 1))
    t.equal(quiet.status, 'SUPPORTED')
    t.match(quiet.statement, /quiet host/)
  })

  t.test(`${name}: sabotage: the interference has no effect, or the mitigation has none`, async t => {
    for (const options of [{ limits: false }, { cures: false }]) {
      const found = claim(name, options)
      t.match(legs(found), { application: 'fails', os: 'fails', mechanism: name === 'preload' ? /fails|missing/ : 'fails' })
      t.equal(found.status, 'UNSUPPORTED')
    }
  })

  t.test(`${name}: each source taken away alone`, async t => {
    t.equal(inAfter(name, withoutSource(name === 'no-swap' ? 'disk' : 'process')).os.status, 'missing')
    t.equal(inAfter(name, block => withEnd(block, { 'cpu.stat.nr_throttled': 5 })).control.status, 'fails')
  })
}

t.test('mlock that silently failed', async t => {
  t.same(legs(inAfter('mlock', withoutRead('locked memory (VmLck)'))), { ...all, control: 'fails' })
})

t.test('the hog ran in one arm only', async t => {
  for (const name of ['mlock', 'memory-protect', 'no-swap']) t.same(legs(inAfter(name, withoutRead('page-cache hog'))), { ...all, control: 'fails' })
})

t.test('the mechanism did not move', async t => {
  t.same(legs(inAfter('mlock', block => ({ ...block, evidence: { ...block.evidence, groupCountersAtStart: { ...block.evidence.groupCountersAtStart, 'memory.stat.file_mapped': 4096 } } }))), { ...all, mechanism: 'fails' })
  for (const counters of [{ 'memory.events.low': 3 }, { 'memory.stat.workingset_refault_file': 99_999 }]) t.same(legs(inAfter('memory-protect', block => withEnd(block, counters))), { ...all, mechanism: 'fails' })
  t.same(legs(inAfter('no-swap', block => withEnd(block, { 'memory.swap.current': 5e6 }))), { ...all, mechanism: 'fails' })
  t.same(legs(inAfter('preload', withoutRead('model file read ahead'))), { ...all, mechanism: 'fails' })
})

t.test('no swap by killing: an arm that did not answer all its calls', async t => {
  t.equal(inAfter('no-swap', block => ({ ...block, calls: block.calls.map(call => ({ ...call, outcome: 'failed' as const })) })).control.status, 'fails')
})
