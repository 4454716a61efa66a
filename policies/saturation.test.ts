import t from 'tap'
import { Saturation } from './saturation.js'

const full = (predictedWaitMs: number, queued = 3) => ({ places: 2, taken: 2, queued, predictedWaitMs })

t.test('from a refusal until the line is shorter', async t => {
  const saturation = new Saturation(10)
  t.equal(saturation.holds(full(900)), false, 'nobody was refused yet')
  saturation.arrived(900, {}, 'deadline')
  t.equal(saturation.holds(full(900)), true)
  t.equal(saturation.holds(full(1_200)), true)
  t.equal(saturation.holds(full(800)), false)
  t.equal(saturation.holds({ places: 2, taken: 1, queued: 0, predictedWaitMs: 0 }), false)
})

t.test('until another one is let in behind as long a line', async t => {
  const saturation = new Saturation(10)
  saturation.arrived(900, {}, 'queue-full')
  saturation.arrived(500, {})
  t.equal(saturation.holds(full(900)), true, 'a shorter line says nothing of it')
  saturation.arrived(950, {})
  t.equal(saturation.holds(full(900)), false)
})

t.test('a full line, whatever it means in time', async t => {
  const saturation = new Saturation(3)
  t.equal(saturation.holds(full(0, 3)), true)
  t.equal(saturation.holds(full(0, 2)), false)
  t.equal(new Saturation(0).holds(full(0, 0)), true, 'nobody may wait')
})

t.test('refusals for reasons of the call\'s own do not count', async t => {
  const saturation = new Saturation(10)
  saturation.arrived(900, { ttftLimitMs: 100 }, 'deadline')
  saturation.arrived(900, { finishLimitMs: 100 }, 'deadline')
  saturation.arrived(900, { maxPlaces: 1 }, 'deadline')
  saturation.arrived(900, {}, 'draining')
  t.equal(saturation.holds(full(900)), false)
})
