import t from 'tap'
import { simulateStreams } from '../analyse/testing-streams.js'
import { announce } from './announce.js'

t.test('repeats are those of the conditions that are repeated: probes, measured once each, make no fraction of them', async t => {
  const { plan, manifest } = simulateStreams({ repeats: 3 })
  const [first] = plan.conditions
  const [block] = plan.blocks
  if (first === undefined || block === undefined) throw new Error('a condition and a block expected')
  const probes = ['probe-1', 'probe-2'].map(id => ({ ...first, id }))
  const probed = { ...plan, conditions: [...probes, ...plan.conditions], blocks: [...probes.map(({ id }, i) => ({ ...block, condition: id, index: -i })), ...plan.blocks] }
  for (const each of [plan, probed]) t.ok(announce(each, manifest).includes('3 repeats describe; they carry no verdict (8 do: --preset overnight)'), String(each.conditions.length))
  const once = simulateStreams({ repeats: 1 })
  t.ok(announce(once.plan, manifest).includes('one repeat describes; it carries no verdict (8 do: --preset overnight)'))
})
