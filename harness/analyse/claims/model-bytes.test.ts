import t from 'tap'
import type { Evidence } from '../../types.js'
import { simulateFactor, type Seen, type Source } from '../testing-factors.js'
import { all, claim, legs, needsEveryPrediction } from './testing.js'

const file = (name: string, bytes: number) => ({ name, path: name, bytes, sha256: '0', parameters: 50, quantisation: 'Q8_0', synthetic: true })
const gaps: Readonly<Record<string, number>> = { q4: 2, q8: 3.2, f16: 5.4 }

/** @param share of a call that each further client adds */
function simulated (change: (id: string, clients: number) => Partial<Seen> = () => ({}), { share = 0.8, calibratedShare = 0.7, without }: { share?: number, calibratedShare?: number, without?: Source } = {}): Evidence {
  const server = (model: string, gapMs: number) => ({ model, threads: 1, tokensPerSecond: 1000 / gapMs, ttftMs: 20, gapMs, prompt: { tokens: 10, ms: 10 * calibratedShare * gapMs }, cpusUsed: 1 })
  return simulateFactor({
    experiment: 'quantisation',
    calibration: [server('small:Q8_0', 3.2), server('small:Q4_0', 2), server('small:F16', 5.4)],
    manifest: { model: file('small:Q8_0', 53e6), otherModels: [file('small:Q4_0', 28e6), file('small:F16', 100e6)] },
    seen: ({ id }, { clients }) => {
      const gapMs = gaps[id.split('-')[0] ?? ''] ?? 0
      const seen: Seen = { ttftMs: 20, gapMs: gapMs * (1 + share * (clients - 1)), promptTokens: 9, tokensPerDecode: 0.97 * clients }
      return { ...seen, ...change(id, clients) }
    },
    ...(without === undefined ? {} : { without })
  })
}

t.test('time by bytes, and clients that add their own arithmetic: supported', async t => {
  const found = claim(simulated())
  t.same(legs(found), all, JSON.stringify(found, null, 1))
  t.equal(found.status, 'SUPPORTED')
})

t.test('a machine that waits for memory: supported where the calibration says so', async t => {
  t.equal(claim(simulated(undefined, { share: 0.15, calibratedShare: 0.15 })).status, 'SUPPORTED')
})

t.test('sabotage: the same labels, but one model', async t => {
  const found = claim(simulated((_id, clients) => ({ gapMs: 3.2 * (1 + 0.8 * (clients - 1)) })))
  t.match(legs(found), { application: 'fails', os: 'fails' })
  t.equal(found.status, 'UNSUPPORTED')
})

t.test('sabotage: memory is waited for, though the calibration says arithmetic, and the other way round', async t => {
  t.same(legs(claim(simulated(undefined, { share: 0.1 }))), { ...all, mechanism: 'fails' })
  t.same(legs(claim(simulated(undefined, { calibratedShare: 0.2 }))), { ...all, mechanism: 'fails' })
})

t.test('sabotage: clients that take turns, and weights that come from storage', async t => {
  t.same(legs(claim(simulated(() => ({ tokensPerDecode: 1 })))), { ...all, control: 'fails' })
  t.same(legs(claim(simulated(id => id === 'f16-c1' ? { majorFaultsPerSecond: 300 } : {}))), { ...all, control: 'fails' })
})

t.test('each leg needs its source and its predictions', async t => {
  t.same(legs(claim(simulated(undefined, { without: 'process' }))), { ...all, os: 'missing', control: 'missing' })
  t.same(legs(claim(simulated(undefined, { without: 'metrics' }))), { ...all, control: 'missing' })
  const evidence = simulated()
  t.equal(legs(claim({ ...evidence, blocks: evidence.blocks.filter(({ evidence: { plan } }) => plan.condition !== 'q4-c4') }))['mechanism'], 'missing')
  needsEveryPrediction(t, evidence)
})
