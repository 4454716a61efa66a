import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { runCommand } from '../../models/command.js'
import type { GuestFile } from './guest-files.js'
import type { VmKernel } from './kernel.js'

/** Writes the initramfs (2 to 5 MB, not compressed: the kernel would unpack it on the emulated CPU). */
export async function writeInitramfs (kernel: VmKernel, files: readonly GuestFile[], folder: string): Promise<string> {
  const content = join(folder, 'initramfs')
  for (const name of ['bin', 'modules', 'dev', 'proc', 'sys']) await mkdir(join(content, name), { recursive: true })
  await copyFile(kernel.busybox, join(content, 'bin', 'busybox'))
  for (const module of kernel.modules) await copyFile(module, join(content, 'modules', basename(module)))
  for (const { path, text, mode } of files) {
    await mkdir(dirname(join(content, path)), { recursive: true })
    await writeFile(join(content, path), text, { mode })
  }
  const image = join(folder, 'initramfs.cpio')
  await runCommand('sh', ['-c', 'find . | "$0" cpio -o -H newc -R 0:0 >"$1"', kernel.busybox, image], { timeoutMs: 60_000, cwd: content })
  await rm(content, { recursive: true })
  return image
}
