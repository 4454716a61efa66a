import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { acceleration } from './accel.js'
import { accelLine } from './doctor.js'

function script (t: Test, text: string): string {
  const path = join(t.testdirName, 'qemu')
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
  return path
}

/** Ends as QEMU does when the firmware it was given wrote to the port; the firmware is 64 KiB and begins where a CPU does. */
const counted = 'while [ "$1" != -bios ]; do shift; done; [ "$(wc -c <"$2")" = 65536 ] && exit 85'

t.test('KVM where it may be opened and QEMU can use it', async t => {
  const device = join(t.testdir({ kvm: '' }), 'kvm')
  t.strictSame(await acceleration(device, script(t, counted)), { accel: 'kvm' })
  t.match(await acceleration(join(t.testdirName, 'none'), '/nowhere'), { accel: 'tcg', why: /there is no .*none/ })
  if (process.getuid?.() === 0) return
  chmodSync(device, 0)
  t.match(await acceleration(device, '/nowhere'), { accel: 'tcg', why: /sudo adduser \$USER kvm/ })
})

t.test('a QEMU that aborts on it says why, and the CPU is emulated', async t => {
  const device = join(t.testdir({ kvm: '' }), 'kvm')
  const aborts = script(t, 'echo "qemu-system-x86_64: error: failed to set MSR 0x10a to 0x69" >&2; kill -ABRT $$')
  const found = await acceleration(device, aborts)
  t.match(found, { accel: 'tcg', why: 'kvm is there, but QEMU cannot use it here (failed to set MSR 0x10a to 0x69)' })
  t.match(accelLine(found), /^ {8}TCG: .*failed to set MSR.*emulated/)
  t.match(await acceleration(device, script(t, 'exit 3')), { accel: 'tcg', why: /it ended with 3/ })
  t.match(await acceleration(device, script(t, 'exit 0')), { accel: 'tcg', why: /it ended with code 0/ }, 'nobody counted')
})

t.test('a virtual CPU that gets nowhere is not used', async t => {
  const device = join(t.testdir({ kvm: '' }), 'kvm')
  t.match(await acceleration(device, script(t, 'exec sleep 60'), 100), { accel: 'tcg', why: /a virtual CPU does not count to 10 million within 0.1 s/ })
})
