import t from 'tap'
import { fakeKnob } from '../run/testing.js'
import type { SweepFile } from './experiment-file.js'
import { slotsFor, workloadOf } from './condition-workload.js'
import { conditionsOfSweep, onlyCells, streamsOf } from './sweep.js'

const knobsFor = (specs: readonly string[]) => specs.map(spec => fakeKnob(spec, []))

const file: SweepFile = {
  kind: 'sweep',
  name: 'dose',
  question: 'how much?',
  workload: { kind: 'streams', calls: 2, predictTokens: 200 },
  baseline: 'none',
  grid: [
    [{ id: 'none' }, { id: 'q500', knobs: ['cpu-quota=500/1000'], factors: { quotaMs: 500, periodMs: 1000 } }],
    [{ id: 't1', threads: 1, factors: { threads: 1 } }, { id: 't2', threads: 2, factors: { threads: 2 }, model: 'tiny' }]
  ]
}

t.test('a grid: one condition for each combination, each with the baseline that differs in that axis only', async t => {
  const conditions = conditionsOfSweep({ ...file, setting: ['mlock'] }, knobsFor)
  t.same(conditions.map(({ id, baseline }) => [id, baseline]), [['none-t1', undefined], ['none-t2', undefined], ['q500-t1', 'none-t1'], ['q500-t2', 'none-t2']])
  t.same(conditions[3], {
    id: 'q500-t2',
    title: 'the knob mlock; the knob cpu-quota=500/1000; 2 threads; model tiny',
    policies: [],
    knobs: ['mlock', 'cpu-quota=500/1000'],
    factors: { quotaMs: 500, periodMs: 1000, threads: 2 },
    threads: 2,
    model: 'tiny',
    baseline: 'none-t2'
  })
})

t.test('cells: one baseline for all', async t => {
  const { grid, ...rest } = file
  const conditions = conditionsOfSweep({ ...rest, cells: [{ id: 'none' }, { id: 'hog-1', knobs: ['hog=1'] }, { id: 'hog-2', knobs: ['hog=2'], factors: { hogs: 2 } }] }, knobsFor)
  t.same(conditions.map(({ id, baseline, title }) => [id, baseline, title]), [['none', undefined, 'undisturbed'], ['hog-1', 'none', 'the knob hog=1'], ['hog-2', 'none', 'the knob hog=2']])
})

t.test('a cell or a point changes the workload; points of two axes change it together', async t => {
  const points = [[{ id: 'c1' }, { id: 'c8', workload: { clients: 8 } }], [{ id: 'short' }, { id: 'long', workload: { promptWords: 512, cachePrompt: true, warmupCalls: 0 } }]]
  const conditions = conditionsOfSweep({ ...file, grid: points, baseline: 'c1', cells: [{ id: 'one-slot', workload: { clients: 8, slots: 1 } }] }, knobsFor)
  t.same(conditions.map(({ id, workload, title }) => [id, workload, title]), [
    ['one-slot', { clients: 8, slots: 1 }, '8 clients; 1 slot'],
    ['c1-short', undefined, 'undisturbed'],
    ['c1-long', { promptWords: 512, cachePrompt: true, warmupCalls: 0 }, '512 words in the prompt; prompt cache on; no call before it'],
    ['c8-short', { clients: 8 }, '8 clients'],
    ['c8-long', { clients: 8, promptWords: 512, cachePrompt: true, warmupCalls: 0 }, '8 clients; 512 words in the prompt; prompt cache on; no call before it']
  ])
  const workload = streamsOf(file.workload)
  const [oneSlot = {}, few = {}, , many = {}] = conditions
  t.match(workloadOf(workload, many), { clients: 8, calls: 2, promptWords: 16 })
  t.same(workloadOf(workload, few), workload)
  t.same([oneSlot, few, many].map(condition => slotsFor(workload, conditions, condition)), [1, 8, 8], 'one server for all that name no slots')
})

t.test('cells beside a grid: a baseline among the cells is for all, a point of an axis for the grid only', async t => {
  const cells = [{ id: 'other' }]
  t.same(conditionsOfSweep({ ...file, cells, baseline: 'other' }, knobsFor).map(({ baseline }) => baseline), [undefined, 'other', 'other', 'other', 'other'])
  t.same(conditionsOfSweep({ ...file, cells, baseline: 't1' }, knobsFor).map(({ id, baseline }) => `${id} ${baseline}`), ['other undefined', 'none-t1 undefined', 'none-t2 none-t1', 'q500-t1 undefined', 'q500-t2 q500-t1'])
})

t.test('what cannot be a sweep is refused by name', async t => {
  t.throws(() => conditionsOfSweep({ ...file, baseline: 'nothing' }, knobsFor), { name: 'UsageError', message: /dose: the baseline nothing is no cell and no point of the grid; there are none-t1, none-t2/ })
  t.throws(() => conditionsOfSweep({ ...file, cells: [{ id: 'none-t1' }] }, knobsFor), /two cells are named none-t1/)
  t.throws(() => conditionsOfSweep(file, specs => specs.map(spec => { throw new Error(`no such knob: ${spec}`) })), /no such knob: cpu-quota/)
})

t.test('what a workload does not say', async t => {
  t.same(streamsOf({ kind: 'streams', calls: 2, predictTokens: 9, warmupCalls: 0 }), { kind: 'streams', clients: 1, calls: 2, promptWords: 16, predictTokens: 9, warmupCalls: 0, patienceSeconds: 120 })
})

t.test('some conditions only, with their baselines, in the sweep\'s order', async t => {
  const conditions = [{ id: 'none' }, { id: 'a', baseline: 'none' }, { id: 'b', baseline: 'none' }, { id: 'other' }].map(each => ({ title: '', policies: [], knobs: [], factors: {}, ...each }))
  const ids = (cells: string | undefined): string[] => onlyCells(conditions, cells).map(({ id }) => id)
  t.same(ids(undefined), ['none', 'a', 'b', 'other'])
  t.same(ids('b, a'), ['none', 'a', 'b'])
  t.same(ids('other'), ['other'])
  t.throws(() => ids('c'), { message: '--cells: no such condition: "c"; there are none, a, b, other' })
  t.throws(() => ids(' '), /no such condition/)
})
