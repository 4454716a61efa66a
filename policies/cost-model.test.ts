import t from 'tap'
import { CostModel, type Done } from './cost-model.js'

const work = { promptTokens: 40, bodyBytes: 200, maxTokens: 16 }

function done (more: Partial<Done> = {}): Done {
  return { work, firstByteCompany: 4, restCompany: 4, firstByteMs: 480, restMs: 800, account: { evaluatedTokens: 40, cachedTokens: 0, outputTokens: 16 }, atMs: 0, ...more }
}

function learned (...calls: ReadonlyArray<Partial<Done>>): CostModel {
  const costs = new CostModel()
  for (const call of calls) for (let time = 0; time < 40; time++) costs.learn(done(call))
  return costs
}

t.test('nothing known: no time, and the bound as length', async t => {
  const costs = new CostModel()
  t.equal(costs.firstByteMs(work, 4, 0), 0)
  t.equal(costs.leftMs(work, 4, 0), undefined)
  t.equal(costs.outputTokens(work), 16)
  t.equal(costs.promptTokens({ bodyBytes: 1_000, maxTokens: 16 }), 200)
})

t.test('a call like those before costs what they did', async t => {
  const costs = learned({})
  t.equal(Math.round(costs.firstByteMs(work, 4, 0)), 480)
  t.equal(Math.round(costs.leftMs(work, 4, 0) ?? NaN), 1_280)
  t.equal(Math.round(costs.leftMs(work, 4, 480) ?? NaN), 800)
  t.equal(Math.round(costs.leftMs(work, 4, 880) ?? NaN), 400)
  t.equal(Math.round(costs.leftMs(work, 4, 1_380) ?? NaN), 100, 'overdue by 100 ms: as long again')
})

t.test('a longer one costs more, by its own tokens', async t => {
  const costs = learned({})
  t.equal(Math.round(costs.firstByteMs({ ...work, promptTokens: 472 }, 4, 0)), 4_800)
  t.equal(Math.round(costs.firstByteMs({ ...work, promptTokens: 472, cachedTokens: 432 }, 4, 0)), 480, 'what its slot has costs nothing')
  const uncertain = learned({ work: { ...work, maxTokens: 512 } })
  t.equal(Math.round((uncertain.leftMs({ ...work, maxTokens: 512 }, 4, 0) ?? NaN)), 1_280, 'answers end at 16 tokens, whatever their bound')
})

t.test('company costs: each has its own rate', async t => {
  const costs = learned({ firstByteCompany: 1.2, restCompany: 0.9, firstByteMs: 120, restMs: 160 }, { firstByteCompany: 3.7, restCompany: 4 })
  t.equal(Math.round(costs.firstByteMs(work, 1, 0)), 120)
  t.equal(Math.round(costs.firstByteMs(work, 3, 0)), 120, 'the next smaller one')
  t.equal(Math.round(costs.leftMs(work, 4, 0) ?? NaN), 1_280)
  t.equal(learned({}).firstByteMs(work, 3, 0), 0, 'what is only known of a larger company keeps nobody out')
})

t.test('an estimate of time to first byte is forgotten after a minute without a call', async t => {
  const costs = learned({})
  t.equal(Math.round(costs.firstByteMs(work, 4, 60_000)), 480)
  t.equal(costs.firstByteMs(work, 4, 60_001), 0)
})

t.test('one call says what a byte of body is in tokens, so that the next like it is predicted to take as long', async t => {
  const uncounted = { bodyBytes: 330, maxTokens: 16 }
  const costs = new CostModel()
  costs.learn(done({ work: uncounted }))
  t.equal(Math.round(costs.firstByteMs(uncounted, 4, 0)), 480)
})

t.test('tokens that upstream had cached are no work, and prompts are estimated by their bytes', async t => {
  const costs = learned({ account: { evaluatedTokens: 10, cachedTokens: 30, outputTokens: 16 }, firstByteMs: 180 })
  t.ok(Math.abs(costs.prefillTokens(work) - 10) < 3, `${costs.prefillTokens(work)}`)
  t.ok(Math.abs(costs.promptTokens({ bodyBytes: 200, maxTokens: 16 }) - 40) < 1)
})

t.test('a careful estimate grows with the errors', async t => {
  const steady = learned({})
  t.ok(steady.cautious(steady.firstByteMs(work, 4, 0)) < 1.05 * 480)
  const shaky = new CostModel()
  for (let time = 0; time < 60; time++) shaky.learn(done({ firstByteMs: time % 2 === 0 ? 240 : 720 }))
  t.ok(shaky.cautious(shaky.firstByteMs(work, 4, 0)) > 1.3 * shaky.firstByteMs(work, 4, 0))
})

t.test('routes without an account teach the prefill alone', async t => {
  const costs = new CostModel()
  const { account, ...bare } = done()
  costs.learn(bare)
  t.equal(Math.round(costs.firstByteMs(work, 4, 0)), 480)
  t.equal(costs.leftMs(work, 4, 0), undefined)
})

t.test('saved and restored', async t => {
  const costs = learned({})
  const again = new CostModel()
  again.restore(JSON.parse(JSON.stringify(costs.toJson())), 5_000)
  t.equal(Math.round(again.firstByteMs(work, 4, 5_000)), 480)
  t.equal(Math.round(again.leftMs(work, 4, 0) ?? NaN), 1_280)
})
