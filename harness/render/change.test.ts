import t from 'tap'
import { whatWouldChange } from './change.js'
import { allOf, bandLeg, missingLeg, unbounded } from '../analyse/claims/leg.js'
import { cellsLeg } from '../analyse/claims/cells-leg.js'
import type { Claim, Leg } from '../types.js'

const banded = (what: string, value: number | null, lo: number, hi: number): Leg => bandLeg(what, 'x', value, { id: 'p', metric: 'm', statement: what, lo, hi })
const holding = { application: banded('gaps', 1, 0.5, 2), os: banded('switches', 10, 9, 100), control: banded('stolen', 0, 0, 0), mechanism: banded('rate', 3, 2, unbounded) }
const claim = (legs: Partial<typeof holding>): Claim => {
  const all = { ...holding, ...legs }
  return { id: 'c', statement: 's', predicted: 'p', status: Object.values(all).every(({ status }) => status === 'holds') ? 'SUPPORTED' : 'UNSUPPORTED', explanation: 'e', ...all }
}

t.test('a supported claim: of each leg the figure with the least room, nearest first', async t => {
  t.same(whatWouldChange(claim({ application: allOf([banded('gaps', 1, 0.5, 2), banded('wider', 5, 0, 10)]) })), [
    'The control leg falls if “stolen” is not exactly 0; it was 0.',
    'The operating system leg falls if “switches” is not 9 to 100; it was 10, 1 from the nearer end.',
    'The mechanism leg falls if “rate” is not at least 2; it was 3, 1 from the nearer end.',
    'The application leg falls if “gaps” is not 0.5 to 2; it was 1, 0.5 from the nearer end.'
  ])
})

t.test('an unsupported one: only what did not hold, each figure by its name', async t => {
  t.same(whatWouldChange(claim({ os: banded('switches', 5, 9, 100) })), ['The operating system leg fails with “switches”: 5; it would have to be 9 to 100.'])
  t.same(whatWouldChange(claim({ os: missingLeg('switches', 'x', 'no perf'), control: allOf([banded('stolen', null, -unbounded, 2), banded('other', 1, 0, 2)]) })), [
    'The operating system leg lacks “switches” (no perf).',
    'The control leg lacks “stolen” (not measured): it would have to be at most 2.',
    'The claim is supported when all of these hold.'
  ])
  const cells = cellsLeg('gap', 'x', ['a', 'b', 'c', 'd', 'e'].map((id, i) => ({ id, value: i, prediction: { id, metric: 'm', statement: '', lo: 0, hi: 0 } })))
  t.same(whatWouldChange(claim({ mechanism: cells })), [
    'The mechanism leg fails with “gap, b”: 1; it would have to be exactly 0.',
    'The mechanism leg fails with “gap, c”: 2; it would have to be exactly 0.',
    'The mechanism leg fails with “gap, d”: 3; it would have to be exactly 0.',
    'So do 1 more figures of the mechanism leg.',
    'The claim is supported when all of these hold.'
  ])
})
