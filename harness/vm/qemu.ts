import type { VmKernel } from './kernel.js'

export type Accel = 'kvm' | 'tcg'

/** All that the host, or the emulation, can do. */
export const cpuModel = 'max'

export interface QemuOptions {
  readonly accel: Accel
  readonly memoryMb: number
  readonly cpus: number
  readonly kernel: Pick<VmKernel, 'vmlinuz'>
  readonly initramfs: string
  /** File that the kernel's console is written to. */
  readonly consoleLog: string
  /** ext4 image, `/weir/data` in the VM. */
  readonly dataImage?: string
  readonly swapImage?: string
  /** Folder of the host that is writable in the VM, `/weir/out` there. */
  readonly outFolder?: string
}

/** File descriptors of QEMU that are sockets of ours, by the port's name in the VM. */
export const ports = { 'weir.ctl': 3, 'weir.out': 4, 'weir.err': 5 } as const

/**
 * -1: a panic reboots at once, and with -no-reboot ends QEMU. A kernel whose CPUs hang in it for a minute (twice `watchdog_thresh`) panics, too, and one in which RCU got no further for a minute
 * (Documentation/admin-guide/lockup-watchdogs.rst, Documentation/RCU/stallwarn.rst): emulated ones hung in two studies, each in one of these ways, and the studies would have waited for ever.
 */
const kernelCommandLine = 'console=ttyS0 quiet panic=-1 softlockup_panic=1 watchdog_thresh=30 rcupdate.rcu_cpu_stall_timeout=60 sysctl.kernel.panic_on_rcu_stall=1 psi=1 cgroup_no_v1=all'

/** Arguments of qemu-system-x86_64: no network, no devices but those named here, the host's root file system read-only. */
export function qemuArguments (options: QemuOptions): string[] {
  return [
    '-nodefaults', '-no-user-config', '-display', 'none', '-monitor', 'none', '-no-reboot', '-nic', 'none',
    '-machine', `q35,accel=${options.accel}`, '-cpu', cpuModel, '-smp', String(options.cpus), '-m', String(options.memoryMb),
    '-kernel', options.kernel.vmlinuz, '-initrd', options.initramfs, '-append', kernelCommandLine,
    '-serial', `file:${options.consoleLog}`,
    ...share('/', 'weirroot', 'readonly=on,multidevs=remap'),
    ...options.outFolder === undefined ? [] : share(options.outFolder, 'weirout', 'multidevs=remap'),
    ...options.dataImage === undefined ? [] : disk(options.dataImage, 'weir-data'),
    ...options.swapImage === undefined ? [] : disk(options.swapImage, 'weir-swap'),
    '-device', 'virtio-serial-pci',
    ...Object.entries(ports).flatMap(([name, fd]) => ['-chardev', `socket,id=${name},fd=${fd}`, '-device', `virtserialport,chardev=${name},name=${name}`])
  ]
}

function share (path: string, tag: string, options: string): string[] {
  return ['-virtfs', `local,path=${escaped(path)},mount_tag=${tag},security_model=none,${options}`]
}

/** The images are thrown away afterwards: nothing needs to be flushed to the host's disk. */
function disk (path: string, serial: string): string[] {
  return ['-drive', `if=none,id=${serial},format=raw,cache=unsafe,file=${escaped(path)}`, '-device', `virtio-blk-pci,drive=${serial},serial=${serial}`]
}

/** In QEMU's option lists a comma within a value is written twice. */
function escaped (value: string): string {
  return value.replaceAll(',', ',,')
}
