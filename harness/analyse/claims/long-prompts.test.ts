import t from 'tap'
import { simulateLongPrompts } from '../testing-long-prompts.js'
import { all, claim, legs, needsEveryPrediction } from './testing.js'

t.test('all four legs hold: supported', async t => {
  const found = claim(simulateLongPrompts())
  t.same(legs(found), all, JSON.stringify(found))
  t.equal(found.status, 'SUPPORTED')
})

t.test('sabotage: same label, cause removed', async t => {
  const found = claim(simulateLongPrompts({ fed: [] }))
  t.same(legs(found), { application: 'fails', os: 'holds', control: 'holds', mechanism: 'fails' })
  t.equal(found.status, 'UNSUPPORTED')
  t.match(legs(claim(simulateLongPrompts({ fed: ['before', 'after'] }))), { application: 'fails', mechanism: 'fails' }, 'the same in both: nothing is gained')
})

t.test('each promise alone can break it', async t => {
  t.equal(legs(claim(simulateLongPrompts({ lateMs: 3_000 })))['application'], 'fails', 'short calls are late by more than a chunk')
  t.equal(legs(claim(simulateLongPrompts({ stretch: 4 })))['application'], 'fails', 'long calls pay for it')
  t.equal(legs(claim(simulateLongPrompts({ starves: true })))['application'], 'fails', 'one starves')
  t.equal(legs(claim(simulateLongPrompts({ releaseMs: 900 })))['mechanism'], 'fails', 'places of clients that left are kept for longer than a chunk')
  t.not(legs(claim(simulateLongPrompts({ refuses: true })))['application'], 'holds', 'short calls that are refused are later than any limit, not left out')
})

t.test('a machine that was faster in one arm is a rival explanation, and so is a gain where nothing was in the way', async t => {
  t.equal(legs(claim(simulateLongPrompts({ cpuFactor: 0.7 })))['control'], 'fails')
  t.equal(legs(claim(simulateLongPrompts({ speedUp: 0.5 })))['control'], 'fails')
})

t.test('each source removed alone: its leg is missing, the claim unsupported', async t => {
  const legOf = { pidstat: 'os', counters: 'mechanism', records: 'mechanism', process: 'control', gaps: 'application', long: 'application' } as const
  for (const source of ['pidstat', 'counters', 'records', 'process', 'gaps', 'long'] as const) {
    const found = claim(simulateLongPrompts({ without: [source] }))
    t.equal(legs(found)[legOf[source]], 'missing', source)
    t.equal(found.status, 'UNSUPPORTED', source)
  }
})

t.test('what was not predicted before the run does not count', async t => {
  needsEveryPrediction(t, simulateLongPrompts())
})

t.test('the control is refuted where chunks were at work after all', async t => {
  const quiet = claim(simulateLongPrompts({ fed: [] }, 'preemptible-prefill-control'))
  t.equal(quiet.status, 'SUPPORTED')
  const found = claim(simulateLongPrompts({}, 'preemptible-prefill-control'))
  t.match(legs(found), { application: 'fails', mechanism: 'fails' })
  t.equal(found.status, 'UNSUPPORTED')
})

t.test('lane and order promise less, and neither may cost the long ones much or starve one', async t => {
  t.equal(claim(simulateLongPrompts({ fed: [] }, 'prefill-lane')).status, 'SUPPORTED')
  t.equal(claim(simulateLongPrompts({ fed: [], starves: true }, 'prefill-lane')).status, 'UNSUPPORTED')
  t.equal(legs(claim(simulateLongPrompts({ fed: [], together: true }, 'prefill-lane')))['mechanism'], 'fails', 'long prompts run side by side all the same')
  t.equal(legs(claim(simulateLongPrompts({ fed: [], without: ['records'] }, 'prefill-lane')))['mechanism'], 'missing')
  t.equal(legs(claim(simulateLongPrompts({ fed: [] }, 'shortest-prefill')))['application'], 'fails', 'without any gain')
})

t.test('what shortest prompts first gain is told by their mean, and by none where one has no answer', async t => {
  t.equal(legs(claim(simulateLongPrompts({ pairs: 2 }, 'shortest-prefill')))['application'], 'holds', 'too few for a p95')
  t.equal(legs(claim(simulateLongPrompts({ refuses: true }, 'shortest-prefill')))['application'], 'missing')
})

t.test('at light load nothing changes; a median that does is no equivalence', async t => {
  const light = claim(simulateLongPrompts({ fed: [], without: ['long'] }, 'preemptible-prefill-at-light-load'))
  t.same(legs(light), all, JSON.stringify(light))
  t.equal(legs(claim(simulateLongPrompts({ fed: [], without: ['long'], speedUp: 0.8 }, 'preemptible-prefill-at-light-load')))['application'], 'fails')
  t.match(legs(claim(simulateLongPrompts({ fed: [], cpuFactor: 0.7 }, 'preemptible-prefill-at-light-load'))), { control: 'fails' })
  t.match(legs(claim(simulateLongPrompts({ fed: ['after'], without: ['long'] }, 'preemptible-prefill-at-light-load'))), { mechanism: 'fails' })
})
