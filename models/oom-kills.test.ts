import t from 'tap'
import { counterPaths, oomCounterOf, parseOomKills } from './oom-kills.js'

t.test('the counter of a process’s own group, in both versions', async t => {
  t.same(counterPaths('0::/user.slice/weir.scope\n'), ['/sys/fs/cgroup/user.slice/weir.scope/memory.events', '/sys/fs/cgroup/unified/user.slice/weir.scope/memory.events'])
  t.same(counterPaths('5:cpu,cpuacct:/a\n4:memory:/box\n1:name=systemd:/\n'), ['/sys/fs/cgroup/memory/box/memory.oom_control'])
  t.same(counterPaths('4:memory:/\n'), ['/sys/fs/cgroup/memory/memory.oom_control'])
  t.same(counterPaths(''), [])
})

t.test('one line, three files', async t => {
  t.equal(parseOomKills('low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n'), 2, 'memory.events')
  t.equal(parseOomKills('oom_kill_disable 0\nunder_oom 0\noom_kill 7\n'), 7, 'memory.oom_control')
  t.equal(parseOomKills('drop_slab 0\noom_kill 1\nballoon_inflate 0\n'), 1, '/proc/vmstat')
  t.equal(parseOomKills('low 0\nmax 12\noom 3\n'), undefined, 'a kernel before 4.13')
})

t.test('of this process: what it read stays readable; of none: none', { skip: process.platform !== 'linux' }, async t => {
  const counter = await oomCounterOf(process.pid)
  t.type(await counter?.read(), 'number', counter?.path ?? 'no counter')
  t.equal(await oomCounterOf(2 ** 22 + 1), undefined)
})
