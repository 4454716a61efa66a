import t from 'tap'
import { runOf } from '../commands/study-asked.js'
import type { HostOfRun, PlannedRun } from '../run/planned-run.js'
import { idOf, parseStudy, studyList, type StudyList } from './list.js'
import { extendStudy, planStudy, type StudyPlan } from './plan.js'
import { budgetMinutes, chooseSizes, endsOf, requiredIds, sizesFor } from './sizes.js'
import { studyPlanLines } from '../render/study/plan.js'

const list = studyList()
const entry = (name: string, rest: object = {}): StudyList['experiments'][number] => ({ name, serves: 'system-mitigation', ...rest })
const with_ = (changed: Partial<StudyList>): StudyList => ({ ...list, ...changed })

t.test('the study that comes along names only experiments and requirements that there are, and forgets no experiment', async t => {
  t.doesNotThrow(() => studyList())
  t.ok(list.requirements.length >= 13)
})

t.test('mistakes in a study name their place and what is allowed', async t => {
  const cases: ReadonlyArray<readonly [unknown, RegExp]> = [
    [with_({ experiments: [...list.experiments, entry('no-such')] }), /x: no experiment "no-such"; bench\/experiments has (.*, )?admission, /],
    [with_({ experiments: [...list.experiments, entry('pinning')] }), /the experiment pinning is there twice/],
    [with_({ experiments: list.experiments.map(each => each.name === 'warmup' ? { ...each, serves: 'speed' } : each) }), /warmup serves "speed", which is no requirement; there are concurrency, /],
    [with_({ experiments: [...list.experiments, entry('admission', { quiet: true })] }), /admission-quiet: admission has no interference/],
    [with_({ experiments: list.experiments.filter(({ name }) => name !== 'warmup') }), /warmup\.json is not in the study: add \{ "name": "warmup", "serves": … \}/],
    [with_({ experiments: [{ ...entry('pinning'), pairs: 8 } as never] }), /x: experiments\.0\.pairs is 8/],
    [{}, /x: requirements is undefined/]
  ]
  for (const [json, message] of cases) t.throws(() => parseStudy(json, 'x'), { message })
})

t.test('breadth first, the quickest first; then depth in order of weight', async t => {
  const sized = (...seconds: [number, ...number[]]): { readonly id: string, readonly sizes: readonly [{ seconds: number }, ...Array<{ seconds: number }>] } =>
    ({ id: '', sizes: seconds.map(each => ({ seconds: each })) as [{ seconds: number }, ...Array<{ seconds: number }>] })
  const cases: ReadonlyArray<readonly [ReadonlyArray<ReturnType<typeof sized>>, number, Array<number | undefined>]> = [
    [[sized(10, 100), sized(10, 100)], 200, [100, 100]],
    [[sized(10, 100), sized(10, 100)], 110, [100, 10]],
    [[sized(10, 100), sized(10, 50)], 60, [10, 50]],
    [[sized(10, 50, 100), sized(10, 100)], 60, [50, 10]],
    [[sized(10), sized(95), sized(10)], 30, [10, undefined, 10]],
    [[sized(50), sized(10), sized(20), sized(20)], 60, [undefined, 10, 20, 20]],
    [[sized(10)], 5, [undefined]],
    [[], 5, []]
  ]
  for (const [experiments, budget, expected] of cases) {
    const chosen = chooseSizes(experiments, budget, 'breadth').map(each => each?.seconds)
    t.same(chosen, expected)
    t.ok(chosen.reduce<number>((sum, each) => sum + (each ?? 0), 0) <= budget)
  }
})

t.test('depth first: the whole of the weightiest, what is left for the others', async t => {
  const sized = (...seconds: number[]): { readonly id: string, readonly sizes: readonly [{ seconds: number }, ...Array<{ seconds: number }>] } =>
    ({ id: '', sizes: seconds.map(each => ({ seconds: each })) as [{ seconds: number }, ...Array<{ seconds: number }>] })
  for (const [experiments, budget, expected] of [
    [[sized(10, 100), sized(10, 100), sized(10, 100)], 215, [100, 100, 10]],
    [[sized(10, 100), sized(10, 200), sized(10, 50)], 160, [100, 10, 50]],
    [[sized(10, 40, 300), sized(10, 100), sized(200)], 150, [40, 100, undefined]]
  ] as const) {
    t.same(chooseSizes(experiments, budget, 'depth').map(each => each?.seconds), expected)
  }
})

t.test('what is required comes before what is quicker, and before the depth of what is weightier', async t => {
  const sized = (required: boolean, ...seconds: [number, ...number[]]) => ({ id: '', required, sizes: seconds.map(each => ({ seconds: each })) as [{ seconds: number }, ...Array<{ seconds: number }>] })
  t.same(chooseSizes([sized(false, 10), sized(true, 50), sized(false, 20)], 65, 'breadth').map(each => each?.seconds), [10, 50, undefined])
  t.same(chooseSizes([sized(true, 10, 100), sized(true, 50)], 120, 'depth').map(each => each?.seconds), [10, 50])
  t.same(chooseSizes([sized(false, 10, 100), sized(true, 10, 60)], 120, 'depth').map(each => each?.seconds), [10, 60], 'its whole size, too')
  const required = requiredIds({ requirements: [{ id: 'a', kind: 'factor', asks: '' }, { id: 'b', kind: 'mitigation', asks: '', needs: 2 }], experiments: [entry('q', { serves: 'b', quiet: true }), entry('x', { serves: 'b' }), entry('y', { serves: 'b' }), entry('z', { serves: 'b' }), entry('w', { serves: 'a' }), entry('v', { serves: 'a' })] })
  t.same([...required].sort(), ['w', 'x', 'y'])
})

t.test('the ends of a sweep: a baseline, and the first and last that are contrasted with it', async t => {
  const c = (id: string, baseline?: string, probe?: number): { id: string, baseline?: string, probe?: number } => ({ id, ...(baseline === undefined ? {} : { baseline }), ...(probe === undefined ? {} : { probe }) })
  t.equal(endsOf([c('t1-none'), c('t1-a', 't1-none'), c('t2-none'), c('t1-b', 't1-none'), c('t2-a', 't2-none'), c('t1-c', 't1-none')]), 't1-none,t1-a,t1-c')
  t.equal(endsOf([c('none'), c('a', 'none'), c('b', 'none')]), undefined, 'that is all of it')
  t.equal(endsOf([c('none'), c('a', 'none'), c('b', 'none'), c('p', undefined, 1)]), undefined, 'a search needs all')
  t.same(sizesFor('smoke', 'a,b').map(({ repeats, cells }) => [repeats, cells]), [[1, 'a,b'], [undefined, undefined]])
  t.same(sizesFor('laptop', undefined).map(({ preset }) => preset), ['smoke', 'smoke', 'laptop'])
})

const here = async (): Promise<HostOfRun> => ({ host: 'local' })
const groupsInVm = async ({ input }: PlannedRun, asked: 'local' | undefined): Promise<HostOfRun> =>
  ({ host: asked === undefined && input.conditions.some(({ knobs }) => knobs.some(knob => /^(cpu-quota|memory-|io-max|cpu-weight|no-swap|swap-max)/.test(knob))) ? 'vm' : 'local' })

for (const host of ['local', 'vm'] as const) {
  for (const preset of ['smoke', 'laptop'] as const) {
    t.test(`${preset} keeps within its minutes where groups are ${host === 'vm' ? 'in an emulated VM' : 'here'}, and what it leaves out or cannot show is said`, async t => {
      const hostOf = host === 'vm' ? groupsInVm : here
      const plan = await planStudy({ list, preset, seed: 1, createdAt: 'now', runOf, hostOf })
      t.ok(plan.expectedSeconds <= 60 * budgetMinutes[preset], `${plan.expectedSeconds} s`)
      t.same([...plan.experiments, ...plan.leftOut].map(({ id }) => id).sort(), list.experiments.map(idOf).sort())
      for (const { id, needs = 1 } of list.requirements) t.ok(plan.experiments.filter(({ serves, quiet }) => serves === id && !quiet).length >= needs, id)
      t.ok(plan.leftOut.every(({ because }) => /no time in \d+ min: it takes/.test(because)))
      const shown = plan.experiments.filter(({ cannotShow }) => cannotShow.length === 0)
      if (preset === 'laptop') t.ok(shown.some(({ id }) => id === 'pinning'))
      // An experiment of one block has no ratios.
      for (const { cannotShow, id, blocks } of plan.experiments) if (preset === 'smoke' && blocks > 1) t.match(cannotShow.join(), /no verdict on single ratios/, id)
      const lines = studyPlanLines(plan, 80)
      t.same(lines.filter(line => line.length > 80), [])
      t.match(lines.join('\n'), /cannot show: /)
    })
  }
}

t.test('what is named alone gets the whole size, whatever the minutes', async t => {
  const hostOf = here
  const plan = await planStudy({ list, preset: 'overnight', only: ['pinning', 'admission'], seed: 1, createdAt: 'now', runOf, hostOf })
  t.same(plan.experiments.map(({ id, size }) => [id, size.preset]), [['pinning', 'overnight'], ['admission', 'overnight'], ['pinning-quiet', 'overnight']])
  t.ok(plan.leftOut.every(({ because }) => because === 'not asked for (--only)'))
  t.same((await planStudy({ list, preset: 'smoke', only: ['pinning-quiet'], seed: 1, createdAt: 'now', runOf, hostOf })).experiments.map(({ id, quiet }) => [id, quiet]), [['pinning-quiet', true]])
})

t.test('more minutes: what had no time or a glance gets it, nothing is taken away; else it says why not', async t => {
  const hostOf = here
  const how = { list, runOf, hostOf }
  const plan = await planStudy({ list, preset: 'laptop', seed: 1, createdAt: 'then', runOf, hostOf })
  const sizeOf = (id: string, of: StudyPlan): number => of.experiments.find(each => each.id === id)?.expectedSeconds ?? 0
  const before = 'a'.repeat(64)
  for (const minutes of [90, 120, 150]) {
    const longer = await extendStudy(plan, before, minutes, 'now', how)
    t.same([longer.budgetMinutes, longer.createdAt, longer.extended], [minutes, 'then', { at: 'now', planSha256: before, budgetMinutes: plan.budgetMinutes }])
    t.ok(plan.experiments.every(({ id, expectedSeconds }) => sizeOf(id, longer) >= expectedSeconds), `${minutes}: nothing got smaller`)
    t.ok(longer.expectedSeconds > plan.expectedSeconds, `${minutes}: something got more`)
  }
  await t.rejects(extendStudy(plan, before, 75, 'now', how), /75 is not more than the 75 minutes that the study has in all; give more/)
  const all = await extendStudy(plan, before, 10_000, 'now', how)
  await t.rejects(extendStudy(all, before, 10_001, 'now', how), /nothing more fits into 10001 minutes than into 10000/)
  const chosen = await planStudy({ list, preset: 'laptop', only: ['pinning'], seed: 1, createdAt: 'then', runOf, hostOf })
  await t.rejects(extendStudy(chosen, before, 900, 'now', how), /a study of chosen experiments \(--only\)/)
})

t.test('a laptop study has all that requirements rest on at their whole size, also where groups are in an emulated VM', async t => {
  const plan = await planStudy({ list, preset: 'laptop', seed: 1, createdAt: 'now', runOf, hostOf: groupsInVm })
  for (const id of requiredIds(list)) t.match(plan.experiments.find(each => each.id === id)?.size, { preset: 'laptop' }, id)
})
