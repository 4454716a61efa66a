import t from 'tap'
import { qemuArguments } from './qemu.js'

const least = { accel: 'tcg', memoryMb: 512, cpus: 2, kernel: { vmlinuz: '/k' }, initramfs: '/i', consoleLog: '/c' } as const
const line = (args: readonly string[]): string => args.join(' ')

t.test('the host root is read-only, there is no network, nothing else is given', async t => {
  const args = qemuArguments(least)
  t.match(line(args), ' -nic none ')
  t.match(line(args), 'accel=tcg -cpu max -smp 2 -m 512 ')
  const shares = args.filter(arg => arg.startsWith('local,'))
  t.strictSame(shares, ['local,path=/,mount_tag=weirroot,security_model=none,readonly=on,multidevs=remap'])
  t.notOk(args.includes('-drive'))
  t.match(line(args), /panic=-1/)
  t.match(line(args), /softlockup_panic=1 watchdog_thresh=30/, 'a kernel that hangs ends, too')
  t.match(line(args), /rcu_cpu_stall_timeout=60 sysctl\.kernel\.panic_on_rcu_stall=1/, 'and one whose RCU does')
  t.match(line(args), '-no-reboot')
})

t.test('disks and the results folder; a comma in a path stays part of it', async t => {
  const args = qemuArguments({ ...least, accel: 'kvm', dataImage: '/a,b/data', swapImage: '/swap', outFolder: '/out,put' })
  t.match(line(args), 'accel=kvm')
  t.match(line(args), 'file=/a,,b/data -device virtio-blk-pci,drive=weir-data,serial=weir-data')
  t.match(line(args), 'file=/swap -device virtio-blk-pci,drive=weir-swap,serial=weir-swap')
  t.match(line(args), 'local,path=/out,,put,mount_tag=weirout,security_model=none,multidevs=remap')
})

t.test('every port has its socket', async t => {
  const args = line(qemuArguments(least))
  for (const [name, fd] of [['weir.ctl', 3], ['weir.out', 4], ['weir.err', 5]]) t.match(args, `socket,id=${name},fd=${fd} -device virtserialport,chardev=${name},name=${name}`)
})
