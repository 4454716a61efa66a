import t from 'tap'
import type { Claim } from '../../types.js'
import { analyse } from '../analyse.js'
import { simulate, type SimulationOptions } from '../testing.js'
import { all, claim, legs } from './testing.js'

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

t.test('sabotage: the same admission in both arms, or hardly any load: no hidden queue was there to be cured', async t => {
  t.match(legs(claim(simulate({ ...usual, bounded: ['before', 'after'] }))), { os: 'fails', mechanism: 'fails' })
  const light = claim(simulate({ ...usual, overload: 0.4 }))
  t.match(legs(light), { application: 'fails', mechanism: 'fails' })
  t.equal(light.status, 'UNSUPPORTED')
})

t.test('a machine that works less per token in one arm is a rival explanation', async t => {
  const found = claim(simulate({ ...usual, cpuFactor: 0.7 }))
  t.same(legs(found), { ...all, control: 'fails' })
  t.equal(found.status, 'UNSUPPORTED')
})

t.test('calls that wait inside llama-server cost it CPU: less of it under load alone is no rival, more is', async t => {
  const scaled = (factor: number): Claim => {
    const evidence = simulate(usual)
    const blocks = evidence.blocks.map(block => block.evidence.plan.condition === 'before'
      ? block
      : { ...block, samples: block.samples.map(sample => sample.process === undefined || sample.atMs < block.evidence.judgedFromMs ? sample : { ...sample, process: { ...sample.process, cpuUsec: sample.process.cpuUsec * factor } }) })
    return claim({ ...evidence, blocks })
  }
  t.same(legs(scaled(0.8)), all)
  t.same(legs(scaled(1.3)), { ...all, control: 'fails' })
})

t.test('a plan of before the closed loop was looked at demands equality under load', async t => {
  const evidence = simulate(usual)
  const predictions = evidence.plan.predictions.flatMap(prediction => prediction.id === 'closed-loop-cpu-per-token-ratio' ? [] : [prediction.id === 'cpu-per-token-ratio' ? { ...prediction, lo: 1 / 1.1 } : prediction])
  t.equal(claim({ ...evidence, plan: { ...evidence.plan, predictions } }).status, 'SUPPORTED')
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
  for (const gone of evidence.plan.predictions) {
    const predictions = evidence.plan.predictions.filter(prediction => prediction !== gone)
    t.equal(claim({ ...evidence, plan: { ...evidence.plan, predictions } }).status, 'UNSUPPORTED', gone.id)
  }
  const bolder = evidence.plan.predictions.map(prediction => prediction.id === 'good-per-capacity' ? { ...prediction, lo: 1.2 } : prediction)
  t.equal(claim({ ...evidence, plan: { ...evidence.plan, predictions: bolder } }).application.status, 'fails')
})

t.test('no claim in the plan, no claim about it', async t => {
  const evidence = simulate({ windowSeconds: 5, pairs: 1 })
  t.same(analyse({ ...evidence, plan: { ...evidence.plan, claims: [] } }).claims, [])
})
