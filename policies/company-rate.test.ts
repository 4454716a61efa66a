import t from 'tap'
import { CompanyRate } from './company-rate.js'

t.test('the same company, else the next smaller, else the next larger', async t => {
  const rate = new CompanyRate()
  t.equal(rate.msPerUnit(4), undefined)
  rate.sample(3, 10, 30, 0)
  t.equal(rate.msPerUnit(4), 3)
  t.equal(rate.msPerUnit(1), 3, 'a larger one when there is nothing else')
  rate.sample(2, 10, 20, 0)
  rate.sample(8, 10, 80, 0)
  t.same([1, 2, 3, 4, 7, 8, 9].map(company => rate.msPerUnit(company)), [2, 2, 3, 3, 3, 8, 8])
  t.same([1, 2, 4].map(company => rate.freshMsPerUnit(company, 0)), [undefined, 2, 3], 'no larger one')
})

t.test('what was not seen for a minute is not fresh, and what rests on few calls not after 10 s', async t => {
  const rate = new CompanyRate()
  for (let call = 0; call < 4; call++) rate.sample(2, 1, 5, 0)
  rate.sample(4, 1, 9, 0)
  t.equal(rate.freshMsPerUnit(4, 10_000), 9)
  t.equal(rate.freshMsPerUnit(4, 10_001), 5)
  t.equal(rate.freshMsPerUnit(4, 60_000), 5)
  t.equal(rate.freshMsPerUnit(4, 60_001), undefined)
  t.equal(rate.msPerUnit(4), 9)
})

t.test('it follows a change, and a long call counts for its length', async t => {
  const rate = new CompanyRate()
  for (let call = 0; call < 60; call++) rate.sample(1, call % 2 === 0 ? 1 : 99, call % 2 === 0 ? 10 : 198, 0)
  const mixed = rate.msPerUnit(1) ?? 0
  t.ok(mixed > 2 && mixed < 2.3, `${mixed}: one call in two cost 10 per unit, but of the units one in a hundred`)
  for (let call = 0; call < 40; call++) rate.sample(1, 50, 250, 0)
  t.ok(Math.abs((rate.msPerUnit(1) ?? 0) - 5) < 0.05)
})

t.test('saved and restored', async t => {
  const rate = new CompanyRate()
  rate.sample(4, 2, 9, 0)
  const again = new CompanyRate()
  again.restore(rate.toJson(), 50)
  t.equal(again.freshMsPerUnit(4, 60_000), 4.5)
})
