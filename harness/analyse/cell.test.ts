import t from 'tap'
import { blockMeasure, cellOf } from './cell.js'

/** A slow wave: 600 samples that are worth a handful of independent ones. */
const wave = Array.from({ length: 600 }, (_, i) => 10 + Math.sin(i / 60))

t.test('floors count what the measure says: independent samples, or all', async t => {
  const measure = { metric: 'itl', unit: 'ms', population: 'answered' as const, samples: (samples: readonly number[]) => samples }
  const waits = cellOf('x', measure, [wave], 0)
  const gaps = cellOf('x', { ...measure, floorsOn: 'all' }, [wave], 0)
  t.ok((waits?.nEff ?? 600) < 59)
  t.equal(waits?.p95, null)
  t.equal(gaps?.p99, wave.toSorted((a, b) => a - b)[593])
  t.equal(gaps?.nEff, waits?.nEff, 'which is told all the same')
})

t.test('of one number a block, the least and the most of them; of one block there is none', async t => {
  const measure = blockMeasure<number>('tokens-per-second', 'tokens/s', value => value)
  t.same(cellOf('x', measure, [30, 10, 20], 0)?.range, [10, 30])
  t.equal(cellOf('x', measure, [30], 0)?.range, undefined)
  t.equal(cellOf('x', { ...measure, population: 'answered' }, [30, 10], 0)?.range, undefined, 'calls are no blocks')
})

t.test('no sample, no cell', async t => {
  t.equal(cellOf('x', { metric: 'itl', unit: 'ms', population: 'answered', samples: () => [] }, [wave], 0), undefined)
})
