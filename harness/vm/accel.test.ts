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

t.test('KVM where it may be opened and QEMU can use it', async t => {
  const device = join(t.testdir({ kvm: '' }), 'kvm')
  t.strictSame(await acceleration(device, script(t, 'read word; [ "$word" = quit ]')), { accel: 'kvm' })
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
})
