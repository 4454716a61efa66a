import { copyFile, mkdir, realpath } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { guest, guestFiles } from './guest-files.js'
import { makeDataImage, sparseFile } from './disk-images.js'
import { writeInitramfs } from './initramfs.js'
import { ensureKernel } from './kernel.js'
import { accelOf, needLinuxX64, needProgram } from './machine.js'
import { qemuArguments } from './qemu.js'
import { makeRunFolder } from './run-folder.js'
import { superviseQemu } from './supervise-qemu.js'
import type { VmResult, VmRunOptions } from './types.js'

/**
 * Runs a command as root in a QEMU VM that boots the host's own root file system: read-only, below an overlay in the VM's memory, so that
 * everything of the host is there and nothing of it is changed, except what is written below `WEIR_OUT`. All cgroup v2 controllers are
 * enabled at the root of /sys/fs/cgroup; there is no network but `lo`. `WEIR_VM` is `kvm` or `tcg`.
 * @throws Error that says what is missing and what to type, what QEMU or the VM's kernel said; VmTimeoutError; the signal's reason
 */
export async function runInVm (options: VmRunOptions): Promise<VmResult> {
  const { command, signal, onProgress = () => {}, onOutput = () => {} } = options
  const { memoryMb, cpus, swapMb, timeoutSeconds } = sizes(options)
  if (command.length === 0) throw new Error('the VM has nothing to run: command is empty')
  needLinuxX64()
  const qemu = await needProgram('qemu')
  const accel = accelOf()
  const kernel = await ensureKernel(onProgress)
  const outFolder = options.outFolder === undefined ? undefined : await madeFolder(options.outFolder)
  signal?.throwIfAborted()

  const folder = await makeRunFolder()
  try {
    const image = (name: string): string => join(folder.path, name)
    const job = { command, cwd: resolve(options.cwd ?? '.'), env: { ...guestEnvironment(accel, outFolder !== undefined), ...options.env } }
    const initramfs = await writeInitramfs(kernel, guestFiles(job, kernel.modules), folder.path)
    if (options.dataFolder !== undefined) await makeDataImage(options.dataFolder, image('data.ext4'))
    if (swapMb > 0) await sparseFile(image('swap'), swapMb * 1024 * 1024)
    signal?.throwIfAborted()
    onProgress(`booting Linux ${kernel.version} with ${accel === 'kvm' ? 'KVM' : 'an emulated CPU (TCG: there is no /dev/kvm that may be used)'}`)
    const ended = await superviseQemu({
      qemu,
      arguments: qemuArguments({
        accel,
        memoryMb,
        cpus,
        kernel,
        initramfs,
        consoleLog: image('console.log'),
        ...options.dataFolder === undefined ? {} : { dataImage: image('data.ext4') },
        ...swapMb === 0 ? {} : { swapImage: image('swap') },
        ...outFolder === undefined ? {} : { outFolder }
      }),
      consoleLog: image('console.log'),
      timeoutMs: timeoutSeconds * 1000,
      onOutput,
      ...signal === undefined ? {} : { signal }
    })
    return { ...ended, accel }
  } catch (error) {
    if (outFolder !== undefined) await copyFile(join(folder.path, 'console.log'), join(outFolder, 'vm-console.log')).catch(() => {})
    throw error
  } finally {
    await folder.remove()
  }
}

function sizes ({ memoryMb = 2048, cpus = 2, swapMb = 0, timeoutSeconds = 600 }: VmRunOptions): Required<Pick<VmRunOptions, 'memoryMb' | 'cpus' | 'swapMb' | 'timeoutSeconds'>> {
  const bounds = { memoryMb: [memoryMb, 256, 65_536], cpus: [cpus, 1, 64], swapMb: [swapMb, 0, 65_536], timeoutSeconds: [timeoutSeconds, 1, 86_400] } as const
  for (const [name, [value, least, most]] of Object.entries(bounds)) {
    if (!Number.isSafeInteger(value) || value < least || value > most) throw new Error(`VM: ${name} is ${value}, but must be a whole number from ${least} to ${most}`)
  }
  return { memoryMb, cpus, swapMb, timeoutSeconds }
}

function guestEnvironment (accel: string, hasOut: boolean): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    LANG: process.env['LANG'] ?? 'C.UTF-8',
    WEIR_VM: accel,
    ...hasOut ? { WEIR_OUT: guest.out } : {}
  }
}

async function madeFolder (folder: string): Promise<string> {
  await mkdir(folder, { recursive: true })
  return await realpath(folder)
}
