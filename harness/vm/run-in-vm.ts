import { chown, copyFile, cp, mkdir, realpath } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { acceleration } from './accel.js'
import { guest, guestFiles } from './guest-files.js'
import { makeDataImage, sparseFile } from './disk-images.js'
import { writeInitramfs } from './initramfs.js'
import { ensureKernel } from './kernel.js'
import { needLinuxX64, needProgram, needSystemd } from './machine.js'
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
  if (options.systemd === true) needSystemd()
  const qemu = await needProgram('qemu')
  const { accel, why } = await acceleration('/dev/kvm', qemu)
  const kernel = await ensureKernel(onProgress)
  const outFolder = options.outFolder === undefined ? undefined : await madeFolder(options.outFolder)
  signal?.throwIfAborted()

  const folder = await makeRunFolder()
  let share: Share | undefined
  try {
    const image = (name: string): string => join(folder.path, name)
    const uid = options.systemd === true ? guestUid() : undefined
    const job = { command, cwd: resolve(options.cwd ?? '.'), env: { ...guestEnvironment(accel, outFolder !== undefined, uid), ...options.env }, ...uid === undefined ? {} : { uid } }
    share = outFolder === undefined ? undefined : await shareFor(outFolder, image('out'), uid)
    const initramfs = await writeInitramfs(kernel, guestFiles(job, kernel.modules), folder.path)
    if (options.dataFolder !== undefined) await makeDataImage(options.dataFolder, image('data.ext4'))
    if (swapMb > 0) await sparseFile(image('swap'), swapMb * 1024 * 1024)
    signal?.throwIfAborted()
    onProgress(`booting Linux ${kernel.version} with ${accel === 'kvm' ? 'KVM' : `an emulated CPU (TCG: ${why})`}`)
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
        ...share === undefined ? {} : { outFolder: share.path }
      }),
      consoleLog: image('console.log'),
      timeoutMs: timeoutSeconds * 1000,
      stopGraceMs: (options.stopGraceSeconds ?? 5) * 1000,
      onOutput,
      ...signal === undefined ? {} : { signal }
    })
    return { ...ended, accel }
  } catch (error) {
    if (outFolder !== undefined) await copyFile(join(folder.path, 'console.log'), join(outFolder, 'vm-console.log')).catch(() => {})
    throw error
  } finally {
    await share?.bringBack()
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

function guestUid (): number {
  return process.getuid?.() || 4242
}

interface Share {
  readonly path: string
  bringBack (): Promise<void>
}

/** What the VM may write. Where root runs us, an ordinary user of the VM could not write in root's folder: then one beside the images, copied back. */
async function shareFor (outFolder: string, own: string, uid: number | undefined): Promise<Share> {
  if (uid === undefined || process.getuid?.() !== 0) return { path: outFolder, bringBack: async () => {} }
  await mkdir(own)
  await chown(own, uid, uid)
  return { path: own, bringBack: async () => await cp(own, outFolder, { recursive: true }) }
}

function guestEnvironment (accel: string, hasOut: boolean, uid: number | undefined): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: uid === undefined ? '/root' : '/weir/home',
    LANG: process.env['LANG'] ?? 'C.UTF-8',
    WEIR_VM: accel,
    ...hasOut ? { WEIR_OUT: guest.out } : {}
  }
}

async function madeFolder (folder: string): Promise<string> {
  await mkdir(folder, { recursive: true })
  return await realpath(folder)
}
