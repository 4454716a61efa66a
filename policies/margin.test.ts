import t from 'tap'
import { Margin } from './margin.js'

t.test('a share of the limit until errors are known, then a high quantile of them within bounds', async t => {
  const margin = new Margin(0.15, 0.98)
  t.equal(margin.ms(1_000), 150)
  for (let call = 0; call < 15; call++) margin.sample(80)
  t.equal(margin.ms(1_000), 150)
  margin.sample(80)
  t.equal(margin.ms(1_000), 80)
  margin.sample(300)
  t.equal(margin.ms(1_000), 300, 'the worst of few counts')
  for (let call = 0; call < 64; call++) margin.sample(-500)
  t.equal(margin.ms(1_000), 75, 'never below half of the first share; old errors are forgotten')
  for (let call = 0; call < 64; call++) margin.sample(5_000)
  t.equal(margin.ms(1_000), 500, 'never above half of the limit')
})
