import t from 'tap'
import type { Claim, PresetName } from '../../types.js'
import { analyse } from '../analyse.js'
import { simulate, type SimulationOptions } from '../testing.js'
import { admission } from './admission.js'
import { all, claim, legs, needsEveryPrediction } from './testing.js'

const usual: Partial<SimulationOptions> = { windowSeconds: 15 }

t.test('all four legs hold: supported', async t => {
  const found = claim(simulate(usual))
  t.same(legs(found), all)
  t.equal(found.status, 'SUPPORTED')
})

t.test('sabotage: same label, cause removed', async t => {
  const found = claim(simulate({ ...usual, bounded: [] }))
  t.same(legs(found), { application: 'fails', os: 'fails', control: 'holds', mechanism: 'fails' })
  t.equal(found.status, 'UNSUPPORTED')
})

t.test('sabotage: the same admission in both arms, or hardly any load where overload was planned: no hidden queue was there to be cured', async t => {
  t.match(legs(claim(simulate({ ...usual, bounded: ['before', 'after'] }))), { os: 'fails', mechanism: 'fails' })
  const { plan } = simulate(usual)
  const light = claim({ ...simulate({ ...usual, overload: 0.4 }), plan })
  t.match(legs(light), { application: 'fails', mechanism: 'fails' })
  t.equal(light.status, 'UNSUPPORTED')
})

t.test('below the capacity it claims that nothing changes', async t => {
  const evidence = simulate({ ...usual, overload: 0.4 })
  const found = claim(evidence)
  t.same(legs(found), all, JSON.stringify(found))
  t.match(found, { status: 'SUPPORTED', statement: /^Below the server’s capacity/ })
  const overloaded = claim({ ...simulate(usual), plan: evidence.plan })
  t.match(legs(overloaded), { application: 'fails', mechanism: 'fails' }, 'there was something to mitigate')
  t.equal(claim(simulate({ ...usual, overload: 0.4, cpuFactor: 0.7 })).control.status, 'fails', 'another machine')
  const slower = evidence.blocks.map(block => block.evidence.plan.condition === 'before' ? block : { ...block, calls: block.calls.map(call => call.firstMs === undefined ? call : { ...call, firstMs: call.firstMs + 100 }) })
  t.equal(claim({ ...evidence, blocks: slower }).application.status, 'fails', 'first tokens came later')
  needsEveryPrediction(t, evidence)
})

t.test('a machine that was so much faster in one arm that it was no longer overloaded is a rival explanation', async t => {
  t.same(legs(claim(simulate({ ...usual, cpuFactor: 0.85 }))), all, 'a little faster: at twice the capacity still overloaded')
  const found = claim(simulate({ ...usual, cpuFactor: 0.5 }))
  t.same(legs(found), { ...all, control: 'fails' })
  t.equal(found.status, 'UNSUPPORTED')
})

/** CPU time of llama-server under load, of one condition, times a factor. */
function scaled (condition: string, factor: number): Claim {
  const evidence = simulate(usual)
  const blocks = evidence.blocks.map(block => block.evidence.plan.condition !== condition
    ? block
    : { ...block, samples: block.samples.map(sample => sample.process === undefined || sample.atMs < block.evidence.judgedFromMs ? sample : { ...sample, process: { ...sample.process, cpuUsec: sample.process.cpuUsec * factor } }) })
  return claim({ ...evidence, blocks })
}

t.test('calls that wait inside llama-server cost it CPU: more of it without admission is no rival, with admission it is', async t => {
  t.same(legs(scaled('before', 1.3)), all)
  t.same(legs(scaled('after', 1.3)), { ...all, control: 'fails' })
})

t.test('a machine that got faster between a block’s yardstick and its load is one, too', async t => {
  t.same(legs(scaled('after', 0.8)), { ...all, control: 'fails' })
})

t.test('a plan of earlier days is judged by its own bands', async t => {
  const judged = (earlier: ReadonlyArray<{ readonly id: string, readonly lo: number }>, cpuFactor?: number): Claim => {
    const evidence = simulate({ ...usual, ...(cpuFactor === undefined ? {} : { cpuFactor }) })
    const predictions = evidence.plan.predictions.filter(({ id }) => !id.includes('cpu-per-token'))
    return claim({ ...evidence, plan: { ...evidence.plan, predictions: [...predictions, ...earlier.map(({ id, lo }) => ({ id, lo, hi: 1.1, metric: 'server-cpu-per-token', statement: 'as predicted then' }))] } })
  }
  const second = [{ id: 'closed-loop-cpu-per-token-ratio', lo: 1 / 1.1 }, { id: 'cpu-per-token-ratio', lo: 0 }]
  t.equal(judged(second).status, 'SUPPORTED')
  t.same(legs(judged(second, 0.85)), { ...all, control: 'fails' }, 'within a tenth, whatever the overload')
  t.equal(judged([{ id: 'cpu-per-token-ratio', lo: 1 / 1.1 }]).status, 'SUPPORTED', 'the first ones said nothing of the closed loop')
})

t.test('each source removed alone: its leg is missing, the claim unsupported', async t => {
  const legOf = { process: 'control', serverSockets: 'os', requestsDeferred: 'mechanism' } as const
  for (const source of ['process', 'serverSockets', 'requestsDeferred'] as const) {
    const found = claim(simulate({ ...usual, without: [source] }))
    t.same(legs(found), { ...all, [legOf[source]]: 'missing' })
    t.equal(found.status, 'UNSUPPORTED')
  }
  const evidence = simulate(usual)
  const noCapacity = claim({ ...evidence, blocks: evidence.blocks.map(block => ({ ...block, calls: block.calls.filter(call => call.phase !== 'capacity') })) })
  t.same(legs(noCapacity), { ...all, application: 'missing', control: 'missing' })
  t.equal(noCapacity.status, 'UNSUPPORTED')
})

t.test('one block without a reading is not passed over', async t => {
  const evidence = simulate(usual)
  const blocks = evidence.blocks.map(block => block.evidence.plan.index !== 5 ? block : { ...block, samples: block.samples.map(({ requestsDeferred, ...rest }) => rest) })
  t.equal(claim({ ...evidence, blocks }).mechanism.status, 'missing')
})

t.test('what was not predicted before the run does not count', async t => {
  const evidence = simulate(usual)
  needsEveryPrediction(t, evidence)
  const bolder = evidence.plan.predictions.map(prediction => prediction.id === 'good-per-capacity' ? { ...prediction, lo: 1.2 } : prediction)
  t.equal(claim({ ...evidence, plan: { ...evidence.plan, predictions: bolder } }).application.status, 'fails')
})

t.test('the more pairs a preset has, the closer to its capacity the server must be shown to stay', async t => {
  const { plan, ...rest } = simulate(usual)
  const of = (preset: PresetName): number | undefined => admission.predictions({ ...plan, preset }, rest.manifest).find(({ id }) => id === 'good-per-capacity')?.lo
  t.same([of('smoke'), of('laptop'), of('overnight')], [0.85, 0.92, 0.97])
})

t.test('no claim in the plan, no claim about it', async t => {
  const evidence = simulate({ windowSeconds: 5, pairs: 1 })
  t.same(analyse({ ...evidence, plan: { ...evidence.plan, claims: [] } }).claims, [])
})
