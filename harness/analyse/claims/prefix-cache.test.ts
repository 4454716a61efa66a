import t from 'tap'
import { converse, type ConversationOptions } from '../testing-conversations.js'
import { all, claim, legs, needsEveryPrediction } from './testing.js'

const found = (options: Partial<ConversationOptions> = {}) => claim(converse(options))

t.test('all four legs hold: supported', async t => {
  const judged = found()
  t.same(legs(judged), all, JSON.stringify([judged.application, judged.os, judged.control, judged.mechanism].map(leg => leg.statement)))
  t.equal(judged.status, 'SUPPORTED')
})

t.test('sabotage: same label, cause removed', async t => {
  const judged = found({ keeping: [] })
  t.same(legs(judged), { application: 'fails', os: 'fails', control: 'holds', mechanism: 'fails' })
  t.equal(judged.status, 'UNSUPPORTED')
})

t.test('sabotage: kept in both arms, kept in the wrong one', async t => {
  t.match(legs(found({ keeping: ['before', 'after'] })), { application: 'fails', os: 'fails' })
  t.match(legs(found({ keeping: ['before'] })), { application: 'fails', os: 'fails', mechanism: 'fails' })
})

t.test('a slot for each conversation: nothing is lost, so nothing is gained', async t => {
  t.match(legs(found({ conversations: 4, keeping: [] })), { application: 'fails', os: 'fails' })
})

t.test('a machine that was faster in one arm, or shorter prompts there, are rival explanations', async t => {
  t.same(legs(found({ cpuFactor: 0.7 })), { ...all, control: 'fails' })
  t.match(legs(found({ lengthFactor: 0.05 })), { control: 'fails' })
})

t.test('answers that claim more of the cache than llama-server counts', async t => {
  t.same(legs(found({ countedFactor: 1.5 })), { ...all, mechanism: 'fails' })
})

t.test('each source removed alone: its leg is missing, the claim unsupported', async t => {
  t.same(legs(found({ without: ['pidstat'] })), { ...all, os: 'missing' })
  t.same(legs(found({ without: ['promptTokensTotal'] })), { ...all, mechanism: 'missing' })
  t.same(legs(found({ without: ['records'] })), { ...all, control: 'missing', mechanism: 'missing' })
  for (const source of ['pidstat', 'promptTokensTotal', 'records'] as const) t.equal(found({ without: [source] }).status, 'UNSUPPORTED', source)
})

t.test('what was not predicted before the run does not count', async t => {
  needsEveryPrediction(t, converse())
})

t.test('unrelated prompts: equivalent is predicted, and holds whatever the choice', async t => {
  const judged = found({ related: false })
  t.same(legs(judged), all, JSON.stringify([judged.application, judged.os, judged.mechanism].map(leg => leg.statement)))
  t.match(judged.mechanism.statement, /neither choice finds anything/)
})

t.test('with memory for displaced prompts: not worse than llama-server’s own choice is predicted', async t => {
  t.same(legs(found({ keeping: ['before', 'after'], knobs: ['cache-ram=8192'] })), all)
  t.match(legs(found({ keeping: ['before'], knobs: ['cache-ram=8192'] })), { application: 'fails', mechanism: 'fails' })
})
