import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { findGroupHost } from './index.js'
import type { Kernel } from './removal.js'
import type { Surroundings } from './surroundings.js'
import { translateV1 } from './v1-counters.js'
import { parseV1Mounts } from './v1-place.js'

const FILES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  cpu: { 'cpu.cfs_quota_us': '-1', 'cpu.cfs_period_us': '100000', 'cpu.cfs_burst_us': '0', 'cpu.shares': '1024', 'cpu.stat': 'nr_periods 4\nnr_throttled 2\nthrottled_time 3000000\n', 'cpuacct.usage': '5000000' },
  cpuset: { 'cpuset.cpus': '', 'cpuset.mems': '' },
  memory: { 'memory.limit_in_bytes': '9223372036854771712', 'memory.memsw.limit_in_bytes': '9223372036854771712', 'memory.failcnt': '3' },
  blkio: Object.fromEntries(['read_bps', 'write_bps', 'read_iops', 'write_iops'].map(name => [`blkio.throttle.${name}_device`, '']))
}

/** v1 hierarchies in a temporary folder; a new group has the files of its hierarchy. */
function fakeV1 (t: Test, changes: Partial<Surroundings> = {}): { readonly around: Surroundings, readonly root: string } {
  const root = t.testdir({
    'cpu,cpuacct': { 'cgroup.procs': '' },
    cpuset: { 'cgroup.procs': '', 'cpuset.cpus': '0-3', 'cpuset.mems': '0' },
    memory: { 'cgroup.procs': '', box: { 'cgroup.procs': '' } },
    blkio: { 'cgroup.procs': '' },
    unified: { 'cgroup.procs': '', 'cgroup.controllers': '' }
  })
  const kernel: Kernel = {
    make (folder) {
      mkdirSync(folder)
      const hierarchy = folder.slice(root.length + 1).split(/[/,]/)[0] ?? ''
      for (const [file, content] of Object.entries({ 'cgroup.procs': '', ...FILES[hierarchy] })) writeFileSync(join(folder, file), `${content}\n`)
      if (hierarchy === 'unified') writeFileSync(join(folder, 'cpu.pressure'), 'some avg10=0.00 avg60=0.00 avg300=0.00 total=5\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=4\n')
    },
    remove: folder => rmSync(folder, { recursive: true }),
    write: (file, value) => writeFileSync(file, value)
  }
  const mount = (name: string, at = '/', type = 'cgroup'): string => `31 30 0:28 ${at} ${root}/${name} rw,relatime - ${type} ${type} rw,${type === 'cgroup' ? name : ''}`
  const around: Surroundings = {
    mountinfo: [mount('cpu,cpuacct'), mount('cpuset'), mount('memory', '/docker/1'), mount('blkio'), mount('unified', '/', 'cgroup2')].join('\n'),
    ownGroups: '9:name=systemd:/\n7:blkio:/\n4:memory:/docker/1/box\n3:cpuset:/\n1:cpu,cpuacct:/\n0::/\n',
    uid: 0,
    commandLine: ['node', 'cli.js'],
    systemd: false,
    isDelegated: async () => false,
    kernel,
    ...changes
  }
  return { around, root }
}

t.test('groups below our own in every hierarchy, by the same names as v2', async t => {
  const { around, root } = fakeV1(t)
  const host = await findGroupHost(around)
  if (!host.ok) throw new Error(host.why)
  t.match(host, { version: 'v1', controllers: ['cpu', 'cpuset', 'memory', 'io'] })
  const group = await host.create('x', ['cpu'])
  const folders = group.path.split(/,(?=\/)/)
  t.strictSame(folders.map(folder => folder.slice(root.length, -basename(folder).length)), ['/cpu,cpuacct/', '/cpuset/', '/memory/box/', '/blkio/', '/unified/'])
  const file = (name: string): string => readFileSync(folders.map(folder => join(folder, name)).find(path => existsSync(path)) ?? name, 'utf8').trim()
  t.strictSame([file('cpuset.cpus'), file('cpuset.mems')], ['0-3', '0'], 'an empty cpuset lets nobody in')

  const same: ReadonlyArray<readonly [setting: Parameters<typeof group.set>[0], value: string, files: Readonly<Record<string, string>>, seen?: string]> = [
    ['cpu.max', '50000 250000', { 'cpu.cfs_quota_us': '50000', 'cpu.cfs_period_us': '250000' }],
    ['cpu.max', 'max 100000', { 'cpu.cfs_quota_us': '-1', 'cpu.cfs_period_us': '100000' }],
    ['cpu.max.burst', '20000', { 'cpu.cfs_burst_us': '20000' }],
    ['cpu.weight', '1', { 'cpu.shares': '10' }],
    ['cpu.weight', '10000', { 'cpu.shares': '102400' }],
    ['cpuset.cpus', '1', { 'cpuset.cpus': '1' }],
    ['memory.swap.max', 'max', { 'memory.memsw.limit_in_bytes': '-1' }],
    ['memory.max', '67108864', { 'memory.limit_in_bytes': '67108864' }],
    ['memory.swap.max', '4096', { 'memory.memsw.limit_in_bytes': '67112960' }],
    ['io.max', '254:0 rbps=1048576 wiops=9', { 'blkio.throttle.read_bps_device': '254:0 1048576', 'blkio.throttle.write_iops_device': '254:0 9' }, '254:0 rbps=1048576 wbps=max riops=max wiops=9']
  ]
  for (const [setting, value, files, seen] of same) {
    await group.set(setting, value)
    for (const [name, content] of Object.entries(files)) t.equal(file(name), content, `${setting}=${value}: ${name}`)
    if (value !== 'max') t.equal(await group.get(setting), seen ?? value, setting)
  }
  await group.set('io.max', '254:0 rbps=max')
  t.equal(file('blkio.throttle.read_bps_device'), '254:0 0', 'zero takes a rule away')
  t.match(group.counters(), { 'cpu.stat.throttled_usec': 3000, 'cpu.stat.usage_usec': 5000, 'memory.events.max': 3, 'cpu.pressure.full_usec': 4 })
  await group.remove()
  t.strictSame(folders.filter(folder => existsSync(folder)), [])
})

t.test('what v1 cannot do is an error, not a near relation', async t => {
  const { around } = fakeV1(t)
  const host = await findGroupHost(around)
  if (!host.ok) throw new Error(host.why)
  const group = await host.create('x', [])
  for (const setting of ['memory.high', 'memory.low', 'memory.min'] as const) {
    await t.rejects(group.set(setting, '4096'), new RegExp(`v1 has no counterpart of ${setting}; it needs cgroup v2`))
    await t.rejects(group.get(setting), /no counterpart/)
  }
  t.equal(await group.get('memory.max'), 'max')
  await t.rejects(group.set('memory.swap.max', '0'), /"0", but cgroup v1 can limit swap only together with memory: set memory.max first/)
  for (const [setting, value] of [['cpu.max', '50000'], ['cpu.weight', '0'], ['cpu.weight', '10001'], ['io.max', 'rbps=1'], ['io.max', '8:0 rbps=fast']] as const) {
    await t.rejects(group.set(setting, value), new RegExp(`${setting} is ${JSON.stringify(value)}, but must be`))
  }
  rmSync(join(group.path.split(/,(?=\/)/)[2] ?? '', 'memory.memsw.limit_in_bytes'))
  await t.rejects(group.get('memory.swap.max'), /boot it with swapaccount=1/)
  await group.remove()
})

t.test('hierarchies that are not there, or not ours', async t => {
  const { around } = fakeV1(t)
  const without = (name: string): Surroundings => ({ ...around, mountinfo: around.mountinfo.split('\n').filter(line => !line.includes(`/${name} `)).join('\n') })
  const noBlkio = await findGroupHost(without('blkio'))
  if (!noBlkio.ok) throw new Error(noBlkio.why)
  t.strictSame(noBlkio.controllers, ['cpu', 'cpuset', 'memory'])
  await t.rejects(noBlkio.create('x', ['io']), /no v1 hierarchy for the io controller/)
  t.match(await findGroupHost({ ...around, mountinfo: '', uid: 1000, systemd: true }), { ok: false, why: /cgroup2 is not mounted; no v1 hierarchy/, mend: /^sudo node cli.js$/ })
})

t.test('mounts', async t => {
  t.strictSame(parseV1Mounts('1 2 0:3 / /sys/fs/my\\040group rw - cgroup cgroup rw,cpu,cpuacct\n4 5 0:6 /a /sys/fs/u rw shared:1 - cgroup2 none rw\n7 8 0:9 / /proc rw - proc proc rw\n'), [
    { point: '/sys/fs/my group', root: '', names: ['rw', 'cpu', 'cpuacct'] },
    { point: '/sys/fs/u', root: '/a', names: ['unified'] }
  ])
})

t.test('counters keep their v2 names only where they mean the same', async t => {
  const files: Readonly<Record<string, string>> = {
    'cpu.stat': 'nr_periods 10\nnr_throttled 9\nthrottled_time 1234567\nnr_bursts 1\nburst_time 5000\n',
    'memory.stat': 'cache 8192\nrss 4096\nmapped_file 1\npgpgin 77\npgpgout 66\nswap 5\nworkingset_refault_file 892\npgmajfault 2\ntotal_rss 9\n',
    'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n',
    'memory.max_usage_in_bytes': '12288\n',
    'memory.limit_in_bytes': '16384\n',
    'memory.kmem.usage_in_bytes': '64\n'
  }
  t.strictSame(translateV1(file => files[file]), {
    'cpu.stat.nr_periods': 10,
    'cpu.stat.nr_throttled': 9,
    'cpu.stat.throttled_usec': 1235,
    'cpu.stat.nr_bursts': 1,
    'cpu.stat.burst_usec': 5,
    'memory.stat.file': 8192,
    'memory.stat.anon': 4096,
    'memory.stat.file_mapped': 1,
    'memory.stat.workingset_refault_file': 892,
    'memory.stat.pgmajfault': 2,
    'memory.events.oom_kill': 1,
    'memory.peak': 12288,
    'memory.max': 16384,
    'memory.stat.kernel': 64
  })
  t.strictSame(translateV1(file => file === 'memory.limit_in_bytes' ? '9223372036854771712\n' : undefined), {}, 'no limit')
  t.strictSame(translateV1(() => undefined), {})
})
