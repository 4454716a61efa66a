import t from 'tap'
import { whatWouldChange } from './change.js'
import { unbounded } from '../analyse/claims/leg.js'
import type { Claim, Leg } from '../types.js'

const leg = (value: number | null, band: readonly [number, number] | null, status: Leg['status'] = 'holds'): Leg => ({ status, statement: 'gaps end', source: 'x', value, band })
const claim = (legs: Partial<Claim>, status: Claim['status'] = 'SUPPORTED'): Claim => ({
  id: 'c', statement: 's', predicted: 'p', status, explanation: 'e', application: leg(1, [0.5, 2]), os: leg(10, [9, 100]), control: leg(null, null), mechanism: leg(3, [2, unbounded]), ...legs
})

t.test('a supported claim: each leg could overturn it, the one with least room first', async t => {
  t.same(whatWouldChange(claim({})), [
    'The operating system leg at a value outside of 9–100; it was 10, 10 % of it from the nearer end.',
    'The mechanism leg at a value outside of at least 2; it was 3, 33.3 % of it from the nearer end.',
    'The application leg at a value outside of 0.5–2; it was 1, 50 % of it from the nearer end.',
    'A run in which the control leg does not hold: gaps end.'
  ])
})

t.test('an unsupported one: only what did not hold', async t => {
  t.same(whatWouldChange(claim({ os: leg(5, [9, 100], 'fails') }, 'UNSUPPORTED')), ['The operating system leg fails at 5: a run that measures it at 9–100 would support the claim.'])
  t.same(whatWouldChange(claim({ os: leg(null, null, 'missing'), control: leg(null, null, 'fails') }, 'UNSUPPORTED')), [
    'The operating system leg is missing (gaps end): a run in which it holds would support the claim, together with the other legs that do not hold.',
    'The control leg fails: a run in which it holds would support the claim, together with the other legs that do not hold.'
  ])
})
