import { constants, copyFile, link, lstat, mkdir, readdir, readlink, symlink, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { runCommand } from '../../models/command.js'
import { needDiskSpace } from '../../models/disk-space.js'
import { needProgram } from './machine.js'

/** Room on the data disk beside its files: what the VM writes there, and ext4's own blocks. */
const spareBytes = 64 * 1024 * 1024

/**
 * Makes an ext4 image with a copy of the folder's content.
 * @throws Error when mke2fs is missing or fails, or the disk of `image` is too full
 */
export async function makeDataImage (folder: string, image: string): Promise<void> {
  const mke2fs = await needProgram('mke2fs')
  const bytes = Math.ceil(await folderBytes(folder) * 1.1) + spareBytes
  await needDiskSpace(dirname(image), bytes)
  await sparseFile(image, bytes)
  await runCommand(mke2fs, ['-q', '-F', '-t', 'ext4', '-m', '0', '-d', folder, image], { timeoutMs: 300_000 })
}

/** A file of this length that takes no room on the disk until it is written. */
export async function sparseFile (path: string, bytes: number): Promise<void> {
  await writeFile(path, '')
  await truncate(path, bytes)
}

async function folderBytes (folder: string): Promise<number> {
  let bytes = 0
  for (const name of await readdir(folder, { recursive: true })) {
    const stats = await lstat(join(folder, name))
    // Whole blocks, and one for the directory entry or inode.
    bytes += (stats.isFile() ? Math.ceil(stats.size / 4096) * 4096 : 0) + 4096
  }
  return bytes
}

/**
 * A copy of a file or folder that shares its content where both are on one file system. `to` must not exist.
 * @param wanted false for a path: it, and what is below it, is left out
 */
export async function stage (from: string, to: string, wanted: (path: string) => boolean = () => true): Promise<void> {
  const stats = await lstat(from)
  if (!wanted(from)) return
  await mkdir(dirname(to), { recursive: true })
  if (stats.isSymbolicLink()) return await symlink(await readlink(from), to)
  if (stats.isFile()) return await link(from, to).catch(async () => await copyFile(from, to, constants.COPYFILE_EXCL))
  if (!stats.isDirectory()) return
  await mkdir(to)
  for (const name of await readdir(from)) await stage(join(from, name), join(to, name), wanted)
}
