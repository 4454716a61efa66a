import t from 'tap'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { watchCgroup } from './watch-cgroup.js'

t.test('counters each time, limits when asked', async t => {
  const folder = t.testdir({ 'cpu.stat': 'usage_usec 9\n', 'cpu.max': '50000 100000\n', 'memory.peak': '12\n' })
  const watch = watchCgroup(folder)
  const limits = { 'cpu.max.quota_usec': 50000, 'cpu.max.period_usec': 100000, 'memory.peak': 12 }
  t.same(watch.read({ withLimits: true }), { 'cpu.stat.usage_usec': 9, ...limits })
  writeFileSync(join(folder, 'cpu.stat'), 'usage_usec 10\n')
  writeFileSync(join(folder, 'cpu.max'), '60000 100000\n')
  t.same(watch.read({ withLimits: false }), { 'cpu.stat.usage_usec': 10 })
  t.match(watch.read({ withLimits: true }), { 'cpu.max.quota_usec': 60000 })
})

t.test('a group that offers nothing, or is gone', async t => {
  t.equal(watchCgroup(t.testdir({})).read({ withLimits: true }), undefined)
  t.equal(watchCgroup('/nowhere').read({ withLimits: true }), undefined)
})
