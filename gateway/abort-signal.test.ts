import t from 'tap'
import { LeaveSignal } from '../policies/leave-signal.js'
import { abortSignalOf } from './abort-signal.js'

t.test('as a real AbortSignal: before, after, and one that is real already', async t => {
  const signal = new LeaveSignal()
  const real = abortSignalOf(signal)
  t.equal(real.aborted, false)
  signal.abort()
  t.equal(real.aborted, true)
  t.equal(real.reason, signal.reason)
  t.equal(abortSignalOf(signal).aborted, true)
  t.equal(abortSignalOf(real), real)
})
