import t from 'tap'
import { nextLimit } from './limits.js'

t.test('the next limit', async t => {
  const limits = { firstByteTimeoutMs: 100, idleTimeoutMs: 10 }
  const cases: ReadonlyArray<readonly [what: string, total: number | undefined, lastByteAtMs: number | undefined, dueAtMs: number, reason: string]> = [
    ['no byte yet', undefined, undefined, 1100, 'first-byte-timeout'],
    ['a byte came', undefined, 1040, 1050, 'idle-timeout'],
    ['a byte came at once', undefined, 1000, 1010, 'idle-timeout'],
    ['the total is shorter than the first byte', 50, undefined, 1050, 'total-timeout'],
    ['the total is longer', 500, undefined, 1100, 'first-byte-timeout'],
    ['the total is due before the next chunk', 45, 1040, 1045, 'total-timeout'],
    ['both at once', 50, 1040, 1050, 'idle-timeout'],
    ['the total is over already', 5, 1040, 1005, 'total-timeout']
  ]
  for (const [what, total, lastByteAtMs, dueAtMs, reason] of cases) {
    t.same(nextLimit({ ...limits, ...(total === undefined ? {} : { totalTimeoutMs: total }) }, 1000, lastByteAtMs), { dueAtMs, reason }, what)
  }
})

t.test('a call\'s own limit is one more', async t => {
  const limits = { firstByteTimeoutMs: 100, idleTimeoutMs: 10, totalTimeoutMs: 60 }
  const cases: ReadonlyArray<readonly [what: string, lastByteAtMs: number | undefined, runawayAtMs: number, dueAtMs: number, reason: string]> = [
    ['it is not known before the first byte', undefined, Infinity, 1060, 'total-timeout'],
    ['it is the first', 1040, 1045, 1045, 'runaway'],
    ['silence is sooner', 1040, 1055, 1050, 'idle-timeout'],
    ['the total is sooner', 1055, 1062, 1060, 'total-timeout'],
    ['both at once', 1040, 1050, 1050, 'idle-timeout']
  ]
  for (const [what, lastByteAtMs, runawayAtMs, dueAtMs, reason] of cases) t.same(nextLimit(limits, 1000, lastByteAtMs, runawayAtMs), { dueAtMs, reason }, what)
})
