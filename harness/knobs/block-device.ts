import { existsSync, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { readText } from '../probes/read-text.js'

/**
 * `MAJ:MIN` of the whole disk that a file lies on; limits are set on disks, not on partitions.
 * @throws Error for a file system without a disk of its own (overlay, btrfs, tmpfs, network)
 */
export function blockDeviceOf (file: string, sys = '/sys', device = deviceNumber(statSync(file).dev)): string {
  const folder = `${sys}/dev/block/${device}`
  if (!existsSync(folder)) throw new Error(`${file} lies on device ${device}, which is no disk (overlay, btrfs, tmpfs or network): copy it to a folder on ext4 or xfs`)
  const real = realpathSync(folder)
  const disk = existsSync(`${real}/partition`) ? readText(`${dirname(real)}/dev`)?.trim() : device
  if (disk === undefined) throw new Error(`${file} lies on partition ${device}, whose disk is not in ${real}`)
  return disk
}

/** `MAJ:MIN` of st_dev (makedev(3)). */
export function deviceNumber (dev: number): string {
  const value = BigInt(dev)
  const major = ((value >> 8n) & 0xfffn) | ((value >> 32n) & 0xfffff000n)
  const minor = (value & 0xffn) | ((value >> 12n) & 0xffffff00n)
  return `${major}:${minor}`
}
