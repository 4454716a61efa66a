import t from 'tap'
import type { Evidence } from '../../types.js'
import { simulateFactor, type Seen, type Source } from '../testing-factors.js'
import { all, claim, legs, needsEveryPrediction } from './testing.js'

const mebi = 1024 ** 2
const bytes = 51 * mebi
const rates: Readonly<Record<string, number>> = { r5: 5, r4: 4, r3: 3 }

function usual (id: string): Seen {
  const readingMs = id in rates ? 51 / (rates[id] ?? NaN) * 1000 : 0
  const cold = id === 'none' || id in rates
  return {
    startMs: 900 + (cold ? 100 : 0) + readingMs,
    ttftMs: 60,
    gapMs: 40,
    promptTokens: 2,
    before: { readBytes: cold ? 1.02 * bytes : 0 },
    groupAtStart: { 'io.pressure.full_usec': 1000 * (cold ? 60 + 0.95 * readingMs : 0), 'memory.stat.workingset_refault_file': 0 }
  }
}

function simulated (change: (id: string) => Partial<Seen> = () => ({}), without?: Source): Evidence {
  return simulateFactor({
    experiment: 'slow-disk',
    calibration: [{ model: 'small', threads: 1, tokensPerSecond: 20, ttftMs: 60, gapMs: 40, cpusUsed: 1 }],
    manifest: { model: { name: 'small', path: 'small.gguf', bytes, sha256: '0', parameters: 50, quantisation: 'Q8_0', synthetic: true } },
    seen: ({ id }) => ({ ...usual(id), ...change(id) }),
    ...(without === undefined ? {} : { without })
  })
}

t.test('later by bytes ÷ rate, and a warm file loses nothing: supported', async t => {
  const found = claim(simulated())
  t.same(legs(found), all, JSON.stringify(found, null, 1))
  t.equal(found.status, 'SUPPORTED')
})

t.test('sabotage: the same labels, but no limit', async t => {
  const found = claim(simulated(id => id in rates ? usual('none') : {}))
  t.match(legs(found), { application: 'fails', os: 'holds', mechanism: 'missing' })
  t.equal(found.status, 'UNSUPPORTED')
})

t.test('sabotage: as late for another reason than the disk', async t => {
  const found = claim(simulated(id => id in rates ? { before: { readBytes: 0 }, groupAtStart: { 'io.pressure.full_usec': 0, 'memory.stat.workingset_refault_file': 0 } } : {}))
  t.same(legs(found), { ...all, os: 'fails', mechanism: 'fails' })
})

t.test('sabotage: a warm file is as late, or was read; pages were evicted', async t => {
  t.same(legs(claim(simulated(id => id === 'r4-warm' ? { startMs: 5000 } : {}))), { ...all, control: 'fails' })
  t.same(legs(claim(simulated(id => id === 'r4-warm' ? { groupAtStart: { 'io.pressure.full_usec': 3e6, 'memory.stat.workingset_refault_file': 0 } } : {}))), { ...all, control: 'fails' }, 'it stood still for IO')
  t.same(legs(claim(simulated(id => id === 'r4-warm' ? { before: { readBytes: bytes } } : {}))), { ...all, control: 'fails' })
  t.same(legs(claim(simulated(id => id === 'r3' ? { ttftMs: 400 } : {}))), { ...all, control: 'fails' })
  t.same(legs(claim(simulated(id => id === 'r3' ? { ttftMs: 100, gapMs: 67 } : {}))), all, 'a slow machine has longer gaps, too')
})

t.test('each leg needs its source and its predictions', async t => {
  t.same(legs(claim(simulated(undefined, 'start'))), { application: 'missing', os: 'holds', mechanism: 'missing', control: 'missing' })
  t.same(legs(claim(simulated(undefined, 'process'))), { ...all, os: 'missing', mechanism: 'missing', control: 'missing' })
  t.same(legs(claim(simulated(undefined, 'group'))), { ...all, mechanism: 'missing', control: 'missing' })
  needsEveryPrediction(t, simulated())
})
