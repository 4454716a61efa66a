import t from 'tap'
import { join } from 'node:path'
import { findCgroup, parseCgroupFile, parseCgroupMount, parseCgroupPath, readCgroup } from './cgroup.js'

t.test('the v2 line, with v1 groups beside it', async t => {
  t.equal(parseCgroupPath('9:name=systemd:/\n4:memory:/a/0::/b\n1:cpu:/\n0::/user.slice/weir:1 x.scope\n'), '/user.slice/weir:1 x.scope')
  t.equal(parseCgroupPath('0::/\n'), '/')
  t.equal(parseCgroupPath('0::/gone (deleted)\n'), '/gone')
  t.equal(parseCgroupPath('4:memory:/a\n'), undefined)
})

t.test('the mount point, hybrid too, with escaped blanks', async t => {
  const lines = ['30 23 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw', '31 30 0:27 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory']
  t.equal(parseCgroupMount([...lines, '40 30 0:37 / /sys/fs/cgroup/unified rw,relatime shared:1 master:2 - cgroup2 cgroup2 rw'].join('\n')), '/sys/fs/cgroup/unified')
  t.equal(parseCgroupMount('40 30 0:37 / /mnt/c\\040g rw - cgroup2 none rw'), '/mnt/c g')
  t.equal(parseCgroupMount(lines.join('\n')), undefined)
})

t.test('each kind of file is flattened', async t => {
  const parsed = (file: string, text: string): [string, number][] => {
    const into = {}
    parseCgroupFile(file, text, into)
    return Object.entries(into)
  }
  t.same(parsed('cpu.stat', 'usage_usec 243724000\nnr_throttled 3115\n'), [['cpu.stat.usage_usec', 243724000], ['cpu.stat.nr_throttled', 3115]])
  t.same(parsed('cpu.max', 'max 100000\n'), [['cpu.max.period_usec', 100000]])
  t.same(parsed('cpu.max', '50000 100000\n'), [['cpu.max.quota_usec', 50000], ['cpu.max.period_usec', 100000]])
  t.same(parsed('cpu.pressure', 'some avg10=0.00 avg60=0.00 avg300=0.00 total=5\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=4\n'), [['cpu.pressure.some_usec', 5], ['cpu.pressure.full_usec', 4]])
  t.same(parsed('memory.current', '4096\n'), [['memory.current', 4096]])
  t.same(parsed('memory.max', 'max\n'), [])
  t.same(parsed('memory.stat', 'anon 1\nkernel_stack 2\nworkingset_refault_file 3\nslab 4\npgscan_direct 5\n'), [['memory.stat.anon', 1], ['memory.stat.workingset_refault_file', 3], ['memory.stat.pgscan_direct', 5]])
  t.same(parsed('memory.events', 'low 0\nmax 7\noom_kill 1\n'), [['memory.events.low', 0], ['memory.events.max', 7], ['memory.events.oom_kill', 1]])
  t.same(parsed('io.stat', '254:0 rbytes=100 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n8:0 rbytes=11 wbytes=0 rios=1 wios=0\n253:0 \n'), [['io.stat.rbytes', 111], ['io.stat.wbytes', 2], ['io.stat.rios', 4], ['io.stat.wios', 4]])
  t.same(parsed('cpu.stat', ''), [])
})

t.test('a group with the files that its controllers give', async t => {
  const folder = t.testdir({ 'cgroup.events': 'populated 1\nfrozen 0\n', 'cpu.stat': 'usage_usec 9\n', 'memory.peak': '12\n' })
  t.same(readCgroup(folder), { 'cpu.stat.usage_usec': 9, 'memory.peak': 12 })
  t.equal(readCgroup(join(folder, 'gone')), undefined)
})

t.test('no such process, no group', async t => {
  t.equal(findCgroup(2 ** 30), undefined)
})
