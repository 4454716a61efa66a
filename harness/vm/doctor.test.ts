import t from 'tap'
import { doctorLines, report, systemdLine } from './doctor.js'
import { missingForSystemd } from './machine.js'
import { runInVm } from './run-in-vm.js'

t.test('all that is missing is in one apt line', async t => {
  const { lines, ok } = report([
    { what: 'a', ok: true, note: '/bin/a', package: 'pa' },
    { what: 'b', ok: false, note: 'not there', package: 'pb' },
    { what: 'c', ok: false, note: 'not there', package: 'pc' }
  ], ['TCG'])
  t.equal(ok, false)
  t.strictSame(lines, ['ok      a: /bin/a', 'MISSING b: not there', 'MISSING c: not there', 'TCG', '        to mend: sudo apt-get update && sudo apt-get install --no-install-recommends pb pc'])
  t.strictSame(report([{ what: 'a', ok: true, note: '' }], ['KVM']).ok, true)
})

t.test('a machine without apt and without a kernel in the cache', async t => {
  const { lines, ok } = await doctorLines({ PATH: t.testdir(), WEIR_CACHE: t.testdirName })
  t.equal(ok, false)
  t.ok(lines.some(line => /^MISSING kernel and busybox: .*no apt-get/.test(line)))
})

t.test('what --systemd needs of the host, a package once', async t => {
  t.strictSame(missingForSystemd(() => true), [])
  t.strictSame(missingForSystemd(path => !/systemd|dbus/.test(path)), ['systemd', 'dbus', 'libpam-systemd'])
  t.match(systemdLine(['dbus']), /apt-get install .*dbus$/)
})

t.test('what cannot be run is said before anything is started', async t => {
  await t.rejects(runInVm({ command: [] }), /nothing to run/)
  await t.rejects(runInVm({ command: ['true'], memoryMb: 100 }), { message: 'VM: memoryMb is 100, but must be a whole number from 256 to 65536' })
  await t.rejects(runInVm({ command: ['true'], cpus: 1.5 }), /cpus is 1\.5/)
})
