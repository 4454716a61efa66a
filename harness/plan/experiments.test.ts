import t from 'tap'
import { experimentFor, parsePolicies } from './experiments.js'
import { gatewayPolicies, policyNames } from './policies.js'
import { parseMix, parseRate } from './workload.js'

t.test('every experiment file names known policies and a workload that parses', async t => {
  for (const name of policyNames()) {
    const experiment = experimentFor([name])
    t.equal(experiment.name, name)
    t.ok(parseMix(experiment.mix).length > 0 && parseRate(experiment.rate))
  }
})

t.test('unknown policies are an error that lists what there is', async t => {
  t.throws(() => parsePolicies('admision'), { name: 'UsageError', message: /no such policy: "admision"; there are admission, prompt-cap/ })
  t.throws(() => parsePolicies(' , '), /no policy named/)
  t.strictSame(parsePolicies('admission, admission'), ['admission'])
})

t.test('several policies: outermost first whatever the order typed, the workload of the first', async t => {
  t.strictSame(gatewayPolicies(['admission', 'prompt-cap'], 900).map(policy => policy.name), ['prompt-cap', 'admission'])
  t.match(gatewayPolicies(['admission'], 900), [{ ttftLimitMs: 900 }])
  t.match(experimentFor(['admission', 'prompt-cap']), { name: 'admission+prompt-cap', rate: '2x' })
})
