import t from 'tap'
import { cgroupVersion, virtualisation } from './manifest.js'
import { missing, preflight } from './preflight.js'

t.test('a host whose cpu or memory controller is mounted as v1 cannot limit by v2', async t => {
  const v2 = 'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n'
  t.equal(cgroupVersion(v2), 'v2')
  t.equal(cgroupVersion('cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0\n' + v2), 'v1')
  t.equal(cgroupVersion('cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0\n' + v2), 'v2')
  t.equal(cgroupVersion('proc /proc proc rw 0 0\n'), 'none')
})

t.test('what is missing is said with what is lost', async t => {
  t.ok(preflight().every(check => check.lost !== '' && check.mend !== ''))
  t.strictSame(missing([{ what: 'ss', ok: false, lost: 'a leg', mend: 'install' }, { what: 'x', ok: true, lost: '', mend: '' }]), ['ss: missing; lost by it: a leg'])
})

t.test('a run in the harness\'s own VM says so, and whether its CPU was emulated', async t => {
  t.equal(virtualisation('tcg', 'flags : fpu hypervisor', true), 'vm: tcg')
  t.equal(virtualisation(undefined, 'flags : fpu hypervisor sse', true), 'virtual machine')
  t.equal(virtualisation(undefined, 'flags : fpu', true), 'container')
  t.equal(virtualisation(undefined, '', false), 'none seen')
})
