import { existsSync } from 'node:fs'
import { onPath } from '../../models/command.js'

/** Programs that the VM needs, with the package that brings each. */
export const programs = { qemu: ['qemu-system-x86_64', 'qemu-system-x86'], mke2fs: ['mke2fs', 'e2fsprogs'] } as const

/** On PATH or in /usr/sbin, which is not on an ordinary user's PATH in Debian. */
export async function findProgram (name: string, env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  return await onPath(name, { PATH: `${env['PATH'] ?? ''}:/usr/sbin:/sbin` })
}

/** @throws Error with the command that installs it */
export async function needProgram (which: keyof typeof programs, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const [name, debianPackage] = programs[which]
  const path = await findProgram(name, env)
  if (path === undefined) throw new Error(`the VM needs ${name}, which is neither on PATH nor in /usr/sbin; type: sudo apt-get install --no-install-recommends ${debianPackage}`)
  return path
}

/** @throws Error with one command that installs all programs of the VM that are missing */
export async function needPrograms (env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const found = await Promise.all(Object.values(programs).map(async ([name, debianPackage]) => ({ name, debianPackage, path: await findProgram(name, env) })))
  const missing = found.filter(({ path }) => path === undefined)
  if (missing.length === 0) return
  throw new Error(`the VM needs ${missing.map(({ name }) => name).join(' and ')}, neither on PATH nor in /usr/sbin; type: sudo apt-get install --no-install-recommends ${missing.map(({ debianPackage }) => debianPackage).join(' ')}`)
}

/** @throws Error on a machine that the VM's kernel and programs do not fit */
export function needLinuxX64 (): void {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`the VM boots this machine's own root file system and needs Linux on x86-64, this is ${process.platform} on ${process.arch}; run it in a Linux VM`)
  }
}

/** Of the host's own files, needed for systemd as the VM's first program, with the package that brings each. */
const systemdFiles: ReadonlyArray<readonly [path: string, debianPackage: string]> = [
  ['/lib/systemd/systemd', 'systemd'],
  ['/usr/bin/systemd-run', 'systemd'],
  ['/usr/bin/dbus-daemon', 'dbus'],
  ['/usr/lib/x86_64-linux-gnu/security/pam_systemd.so', 'libpam-systemd'],
  ['/usr/bin/setpriv', 'util-linux']
]

/** Packages without which `--systemd` cannot be had; none missing: empty. */
export function missingForSystemd (exists: (path: string) => boolean = existsSync): string[] {
  return [...new Set(systemdFiles.filter(([path]) => !exists(path)).map(([, debianPackage]) => debianPackage))]
}

/** @throws Error with the command that installs what is missing */
export function needSystemd (): void {
  const packages = missingForSystemd()
  if (packages.length > 0) throw new Error(`the VM boots this machine's own systemd, and it lacks ${packages.join(', ')}; type: sudo apt-get install --no-install-recommends ${packages.join(' ')}`)
}
