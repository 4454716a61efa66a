import t from 'tap'
import type { Claim, Evidence } from '../../types.js'
import { analyse } from '../analyse.js'
import { simulateFactor, type Seen, type Source } from '../testing-factors.js'
import { all, legs } from './testing.js'

const mebi = 1024 ** 2
const model = { name: 'twin', path: 'twin.gguf', bytes: 51 * mebi, sha256: '0', parameters: 1, quantisation: 'Q8_0', synthetic: true }
const warmFile: Seen['before'] = { readBytes: 0, rssFileBytes: 60 * mebi, cpuUsec: 140_000 }

/** Reading the file takes 1.6 s at 32 MiB/s, a start 250 ms, the prompt 320 ms, a token 8 ms. */
const usual: Readonly<Record<string, Seen>> = {
  'file-cold': { startMs: 1850, ttftMs: 330, promptMs: 320, gapMs: 8, promptTokens: 65, before: { ...warmFile, readBytes: 52 * mebi } },
  'process-cold': { startMs: 250, ttftMs: 330, promptMs: 320, gapMs: 8, promptTokens: 65, before: warmFile },
  'prompt-cold': { startMs: 250, ttftMs: 325, promptMs: 320, gapMs: 8, promptTokens: 65, before: warmFile },
  warm: { startMs: 250, ttftMs: 15, promptMs: 9, gapMs: 8, promptTokens: 65, cachedTokens: 64, before: warmFile }
}

function simulated (change: Partial<Record<string, Partial<Seen>>> = {}, without?: Source): Evidence {
  return simulateFactor({
    experiment: 'cold-warm',
    calibration: [{ model: 'twin', threads: 1, tokensPerSecond: 110, ttftMs: 330, gapMs: 8, prompt: { tokens: 65, ms: 320 }, cpusUsed: 1 }],
    seen: ({ id }) => ({ ...usual[id] ?? { ttftMs: 0, gapMs: 0, promptTokens: 0 }, ...change[id] }),
    manifest: { model },
    ...(without === undefined ? {} : { without })
  })
}

function claims (evidence: Evidence): Record<string, Claim> {
  return Object.fromEntries(analyse(evidence, { cells: false }).claims.map(claim => [claim.id, claim]))
}

function statuses (evidence: Evidence): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims(evidence)).map(([id, claim]) => [id, legs(claim)]))
}

const supported = { 'cold-file': all, 'cold-process': all, 'cold-prompt': all }

t.test('three colds, each with its own evidence: all supported', async t => {
  const found = simulated()
  t.same(statuses(found), supported, JSON.stringify(claims(found), null, 1))
  t.same(Object.values(claims(found)).map(({ status }) => status), ['SUPPORTED', 'SUPPORTED', 'SUPPORTED'])
})

t.test('sabotage: the same labels, but the file was warm', async t => {
  const found = statuses(simulated({ 'file-cold': usual['process-cold'] ?? {} }))
  t.same(found, { ...supported, 'cold-file': { ...all, application: 'fails', os: 'fails', mechanism: 'missing' } })
})

t.test('sabotage: as late, but in the request and not in the start', async t => {
  const found = statuses(simulated({ 'file-cold': { startMs: 250, ttftMs: 1930 } }))
  t.same(found['cold-file'], { ...all, mechanism: 'fails', control: 'fails' })
})

t.test('sabotage: the process that was to be cold served before', async t => {
  const found = statuses(simulated({ 'process-cold': { cachedTokens: 64, promptMs: 9, ttftMs: 15 } }))
  t.same(found['cold-process'], { ...all, application: 'fails', control: 'fails' })
  t.same(found['cold-prompt'], all)
})

t.test('sabotage: a process that read its file, or had little of it mapped', async t => {
  t.same(statuses(simulated({ 'process-cold': { before: { ...warmFile, readBytes: 52 * mebi } } })), { ...supported, 'cold-file': { ...all, os: 'fails' }, 'cold-process': { ...all, os: 'fails' } })
  t.same(statuses(simulated({ 'process-cold': { before: { ...warmFile, rssFileBytes: 10 * mebi } } }))['cold-process'], { ...all, mechanism: 'fails' })
})

t.test('sabotage: the prompt was not held, or the machine got faster', async t => {
  t.same(statuses(simulated({ warm: { ...usual['prompt-cold'], cachedTokens: 0 } }))['cold-prompt'], { ...all, application: 'fails', os: 'missing', mechanism: 'fails' })
  t.same(statuses(simulated({ warm: { gapMs: 5, grown: { cpuUsec: 390_000 } } }))['cold-prompt'], { ...all, control: 'fails' })
})

t.test('each leg needs its source', async t => {
  t.same(statuses(simulated({}, 'start')), { 'cold-file': { ...all, application: 'missing', mechanism: 'missing' }, 'cold-process': { ...all, application: 'missing' }, 'cold-prompt': all })
  t.same(statuses(simulated({}, 'timings')), { 'cold-file': all, 'cold-process': { ...all, control: 'missing' }, 'cold-prompt': { ...all, mechanism: 'missing' } })
  t.same(statuses(simulated({}, 'process')), { 'cold-file': { ...all, os: 'missing', control: 'missing' }, 'cold-process': { ...all, os: 'missing', mechanism: 'missing' }, 'cold-prompt': { ...all, os: 'missing', control: 'missing' } })
})

t.test('what was not predicted before the run does not count', async t => {
  const evidence = simulated()
  for (const gone of evidence.plan.predictions) {
    const found = claims({ ...evidence, plan: { ...evidence.plan, predictions: evidence.plan.predictions.filter(each => each !== gone) } })
    t.equal(Object.values(found).filter(({ status }) => status === 'UNSUPPORTED').length, 1, gone.id)
  }
})
