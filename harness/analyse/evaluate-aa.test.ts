import t from 'tap'
import { readBank, shippedBank } from './bank.js'
import { relabelAA } from './evaluate-aa.js'
import { simulate } from './testing.js'

// Block noise large against `matters`, so that equivalence does not hide false alarms.
const bank = simulate({ pairs: 20, windowSeconds: 6, bounded: ['before', 'after'], blockNoise: 0.15 })

t.test('equal arms: false alarms of the primary within the 99 % binomial bound, and not zero', async t => {
  const found = relabelAA(bank, { relabellings: 300, seed: 1 })
  t.ok(found.holds, JSON.stringify(found))
  t.ok(found.rate > 0.01, 'a test that never alarms would pass too')
  t.equal(found.better + found.worse + found.equivalent + found.cannotSay, 300)
})

t.test('it is the shipped analyse() that decides: at a laxer alpha it alarms more', async t => {
  const lax = relabelAA({ ...bank, plan: { ...bank.plan, alpha: 0.5 } }, { relabellings: 40, seed: 1 })
  t.ok(lax.rate > 0.2, JSON.stringify(lax))
})

t.test('a bank too small is refused', async t => {
  t.throws(() => relabelAA(simulate({ pairs: 2, windowSeconds: 5 }), { relabellings: 1, seed: 1 }), /bank has 4 blocks; 8 pairs need at least 16/)
})

t.test('40 real blocks of equal arms: 2,000 relabellings within the 99 % binomial bound', async t => {
  const real = readBank(shippedBank)
  t.equal(real.blocks.length, 40)
  const found = relabelAA(real, { relabellings: 2000, seed: 1 })
  t.ok(found.holds, JSON.stringify(found))
  t.ok(found.rate > 0.01, 'a test that never alarms would pass too')
})
