import t from 'tap'
import type { BlockEvidence, LimitSearch } from '../types.js'
import { parseKnobs } from '../knobs/index.js'
import { parseExperiment, isSweep } from './experiment-file.js'
import { cliffOf, nextLimit, probeOf, searchOf, type Probe } from './limit-search.js'
import { blocksInOrder } from './order.js'
import { conditionsOfSweep } from './sweep.js'

const mebi = 1024 ** 2
const search: LimitSearch = { fromBytes: 48 * mebi, toBytes: 96 * mebi, probes: 6, refaultBytes: 20 * mebi }

function searched (cliffBytes: number): Probe[] {
  const probes: Probe[] = []
  for (let i = 0; i < search.probes; i++) {
    const limitBytes = nextLimit(search, probes)
    probes.push({ limitBytes, refaultedBytes: 0, below: limitBytes < cliffBytes })
  }
  return probes
}

t.test('halves the interval at each step, in whole 64 KiB, wherever the cliff is', async t => {
  for (const mib of [49, 60.3, 66, 71.99, 95]) {
    const probes = searched(mib * mebi)
    const { middleBytes, belowBytes = search.fromBytes, fitsBytes = search.toBytes } = cliffOf(search, probes)
    t.ok(belowBytes < mib * mebi && mib * mebi <= fitsBytes, `${mib} MiB lies between`)
    t.ok(Math.abs(middleBytes - mib * mebi) <= 0.5 * mebi, `${mib} MiB: ${middleBytes / mebi}`)
    t.ok(probes.every(({ limitBytes }) => limitBytes % 65_536 === 0))
  }
  t.equal(nextLimit(search, []), 72 * mebi)
})

t.test('a cliff that is not between the ends was not seen', async t => {
  t.equal(cliffOf(search, searched(1 * mebi)).belowBytes, undefined)
  t.equal(cliffOf(search, searched(900 * mebi)).fitsBytes, undefined)
})

t.test('a step is below the cliff by its refaults, or when its server was killed', async t => {
  const block = (refaults: number, more: Partial<BlockEvidence> = {}) => probeOf(search, {
    groupCountersAtStart: { 'memory.stat.workingset_refault_file': 100 },
    groupCountersAtEnd: { 'memory.max': 50 * mebi, 'memory.stat.workingset_refault_file': 100 + refaults },
    ...more
  } as BlockEvidence)
  t.same(block(5120), { limitBytes: 50 * mebi, refaultedBytes: 20 * mebi, below: false })
  t.match(block(5121), { below: true })
  t.match(block(0, { serverEnd: { during: 'start', code: null, signal: 'SIGKILL', atMs: 0, why: '' } }), { below: true })
  t.equal(block(0, { groupCountersAtEnd: { 'memory.stat.workingset_refault_file': 0 } }), undefined, 'no limit')
})

t.test('the threshold is half of what the calibration saw touched; without it there is none', async t => {
  const server = { model: 'm', threads: 1, tokensPerSecond: 1, ttftMs: 1, gapMs: 1, cpusUsed: 1 }
  const file = { knob: 'memory-max' as const, from: '48M', to: '96M', probes: 6 }
  t.match(searchOf(file, { servers: [{ ...server, touched: { modelBytes: 40 * mebi, otherFilesBytes: 0 } }] }, 'm'), search)
  t.equal(searchOf(file, { servers: [server] }, 'm'), undefined)
  t.equal(searchOf(undefined, { servers: [] }, 'm'), undefined)
})

t.test('in a file: a condition for each step, run once, first, in order', async t => {
  const file = parseExperiment({ name: 's', kind: 'sweep', question: '?', setting: ['mlock'], cells: [{ id: 'none' }, { id: 'no-mmap', knobs: ['no-mmap'] }], search: { knob: 'memory-max', from: '1M', to: '2M', probes: 2, factors: { variant: 'v' } }, workload: { kind: 'streams', calls: 1, predictTokens: 2 }, baseline: 'none' }, 's.json')
  if (!isSweep(file)) throw new Error('no sweep')
  const conditions = conditionsOfSweep(file, parseKnobs)
  t.match(conditions.slice(2), [{ id: 'probe-1', probe: 1, knobs: ['mlock'], factors: { variant: 'v' } }, { id: 'probe-2', probe: 2 }])
  t.throws(() => conditionsOfSweep({ ...file, search: { knob: 'memory-max', from: '2M', to: '1M', probes: 2 } }, parseKnobs), /goes from 2M to 1M; it must go upwards/)
  const blocks = blocksInOrder('sweep', ['none', 'no-mmap'], 2, 1, ['probe-1', 'probe-2'])
  t.same(blocks.slice(0, 2).map(({ index, pair, condition }) => [index, pair, condition]), [[1, 1, 'probe-1'], [2, 1, 'probe-2']])
  t.same(blocks.slice(2).map(({ pair }) => pair), [1, 1, 2, 2])
})
