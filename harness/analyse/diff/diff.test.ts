import t from 'tap'
import { normal, seededRandom } from '../../stats/random.js'
import type { Evidence, Manifest } from '../../types.js'
import { analyse } from '../analyse.js'
import { simulate } from '../testing.js'
import { simulateStreams } from '../testing-streams.js'
import { flagsOf, likenessOf } from './keys.js'
import { diffRuns, ratioInterval } from './ratios.js'

const base = simulateStreams({ seed: 1 })
const withManifest = (changed: Partial<Manifest>): Evidence => ({ ...base, manifest: { ...base.manifest, ...changed } })
const keysOf = (b: Evidence, a: Evidence = base): { readonly matter: string[], readonly mayDiffer: string[] } => {
  const { matter, mayDiffer } = likenessOf(a, b)
  return { matter: matter.map(({ key }) => key), mayDiffer: mayDiffer.map(({ key }) => key) }
}

t.test('which keys make two runs unlike, and which may differ', async t => {
  const { model, server, memoryBytes } = base.manifest
  t.same(keysOf(base), { matter: [], mayDiffer: [] })
  const cases: ReadonlyArray<readonly [Evidence, string[], string[]]> = [
    [withManifest({ model: { ...model, sha256: 'other' } }), ['manifest.model.sha256'], []],
    [withManifest({ model: { ...model, path: 'elsewhere.gguf' } }), [], []],
    [withManifest({ server: { ...server, version: 'b2' } }), ['manifest.server.version'], []],
    [withManifest({ server: { ...server, threads: 2 } }), ['manifest.server.threads'], []],
    [withManifest({ cpuModel: 'other' }), ['manifest.cpuModel'], []],
    [withManifest({ kernel: 'Linux 6.9' }), ['manifest.kernel'], []],
    [withManifest({ virtualisation: 'vm: tcg' }), ['manifest.virtualisation'], []],
    [withManifest({ governor: 'powersave' }), ['manifest.governor'], []],
    [withManifest({ memoryBytes: 2 * memoryBytes }), ['manifest.memoryBytes'], []],
    [withManifest({ weirVersion: '9', gitCommit: 'abc', node: 'v22' }), [], ['manifest.weirVersion', 'manifest.gitCommit', 'manifest.node']],
    [{ ...base, plan: { ...base.plan, preset: 'overnight' } }, ['plan.preset'], []],
    [{ ...base, plan: { ...base.plan, seed: 2, createdAt: 'later' } }, [], ['plan.createdAt', 'plan.seed']],
    [{ ...base, plan: { ...base.plan, workload: { ...base.plan.workload, predictTokens: 7 } } }, ['plan.workload.predictTokens'], []],
    [{ ...base, plan: { ...base.plan, conditions: base.plan.conditions.slice(0, 2) } }, ['plan.conditions', 'plan.conditions.q125-p250'], []]
  ]
  for (const [other, matter, mayDiffer] of cases) t.same(keysOf(other), { matter, mayDiffer }, matter.concat(mayDiffer).join() || 'path')
})

t.test('memory that another boot left is the same memory', async t => {
  const at = (memoryBytes: number): Evidence => withManifest({ memoryBytes })
  t.same(keysOf(at(1000), at(1001)).matter, [])
  t.same(keysOf(at(1000), at(1100)).matter, ['manifest.memoryBytes'])
})

t.test('the same multiple of another capacity is the same load; another multiple and another rate are not', async t => {
  const run = simulate({ pairs: 2, windowSeconds: 4 })
  const { plan } = run
  const loaded = (ratePerSecond: number, capacityPerSecond: number): Evidence => ({ ...run, plan: { ...plan, workload: { ...plan.workload, ratePerSecond }, calibration: { ...plan.calibration, capacityPerSecond } } })
  t.same(keysOf(loaded(18, 9), loaded(16, 8)).matter, [])
  t.same(keysOf(loaded(16, 9), loaded(16, 8)).matter, [], 'given in requests/s')
  t.same(keysOf(loaded(32, 9), loaded(16, 8)).matter, ['offered load'])
  const limited = (ttftLimitMs: number, unloadedTtftMs: number): Evidence => ({ ...run, plan: { ...plan, workload: { ...plan.workload, ttftLimitMs: { short: ttftLimitMs } }, calibration: { ...plan.calibration, unloadedTtftMs } } })
  t.same(keysOf(limited(1650, 200), limited(1550, 190)).matter, [], 'limits are rounded')
  t.same(keysOf(limited(3000, 200), limited(1550, 190)).matter, ['TTFT limit'])
})

t.test('flags without what is of the run or the machine', async t => {
  t.same(flagsOf(['env', 'GGML_BACKEND_PATH=/c/libggml-cpu-zen4.so', 'LLAMA_API_KEY=***', 'taskset', '-c', '1', '/x/bin/llama-server', '-m', '/x/m.gguf', '--host', '127.0.0.1', '--port', '4', '-np', '1', '--metrics']),
    ['libggml-cpu-zen4', '-np', '1', '--metrics'])
})

t.test('the interval of a ratio of two figures with intervals covers it as often as it says', async t => {
  const random = seededRandom(7)
  let [covered, rounds] = [0, 4000]
  const figure = (true_: number, deviation: number): { value: number, ci95: readonly [number, number] } => {
    const value = true_ * Math.exp(deviation * normal(random))
    return { value, ci95: [value * Math.exp(-1.96 * deviation), value * Math.exp(1.96 * deviation)] }
  }
  for (let i = 0; i < rounds; i++) {
    const interval = ratioInterval(figure(100, 0.2), figure(130, 0.05))
    if (interval !== null && interval[0] <= 1.3 && interval[1] >= 1.3) covered++
  }
  t.ok(Math.abs(covered / rounds - 0.95) < 0.015, `${covered / rounds}`)
  rounds = 0
  t.same(ratioInterval({ value: 1, ci95: null }, { value: 1, ci95: [0.9, 1.1] }), null)
})

t.test('figures and contrasts of both runs: a slower server is higher, the same run is the same', async t => {
  const a = analyse(simulateStreams({ repeats: 6 }))
  const same = diffRuns(a, a)
  t.ok(same.figures.length > 5 && same.contrasts.length > 0)
  t.ok([...same.figures, ...same.contrasts].every(row => row.ratio === 1 && !['higher', 'lower'].includes(row.finding)))
  const [none, ...quotas] = base.plan.conditions.map(({ id }) => id)
  const slower = analyse(simulateStreams({ repeats: 6, seed: 2, conditions: [{ id: none ?? '', factors: { quotaMs: 1000, periodMs: 1000 }, gapMs: 18 }, ...quotas.map(id => ({ id, baseline: 'none', gapMs: 9 }))] }))
  const row = diffRuns(a, slower).figures.find(each => each.condition === 'none' && each.metric === 'itl' && each.statistic === 'p50')
  t.equal(row?.finding, 'higher')
  t.ok((row?.ratio ?? 0) > 1.9 && (row?.ratio ?? 0) < 2.1)
  t.equal(diffRuns(analyse(simulateStreams({ repeats: 1 })), a).figures.find(each => each.metric === 'itl')?.finding, 'described', 'one block has no interval')
})
