import t from 'tap'
import { simulate } from '../analyse/testing.js'
import { offeredText } from './offered.js'

t.test('what a load offers is said by what makes it: a rate that is not used is not named', async t => {
  const { plan: { workload } } = simulate({ pairs: 1 })
  const conversations = { count: 8, turns: 2, systemWords: 0, firstWords: 4, turnWords: 4, answerTokens: 4, thinkSeconds: 1, thinkSpread: 0, related: true }
  t.equal(offeredText({ ...workload, ratePerSecond: 4 }), '4.00 requests/s')
  t.equal(offeredText({ ...workload, workers: 32 }), '32 clients that ask again when answered')
  t.equal(offeredText({ ...workload, conversations }), '8 conversations')
})
