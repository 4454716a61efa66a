import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { packageRoot } from '../package-root.js'

/** Where things lie in the VM. */
export const guest = {
  /** `WEIR_OUT`: comes back to the host. */
  out: '/weir/out',
  /** Mount point of the data disk. */
  data: '/weir/data'
} as const

export interface GuestJob {
  readonly command: readonly string[]
  /** Absolute; the host's folder of the same path, read-only under the overlay. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** systemd is the first program, and this ordinary user runs the command, in a scope with a delegated subtree. Absent: root does. */
  readonly uid?: number
}

/** A word that a POSIX shell reads back unchanged. */
export function shellQuoted (word: string): string {
  return `'${word.replaceAll('\'', '\'\\\'\'')}'`
}

/** The shell script that becomes the command: nothing of it is expanded or split again. Ends with 127 when there is no such program. */
export function jobScript ({ command, cwd, env }: GuestJob): string {
  const wrong = Object.keys(env).find(name => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
  if (wrong !== undefined) throw new Error(`environment of the VM: ${JSON.stringify(wrong)} is not a name; allowed are letters, digits and _, not beginning with a digit`)
  const exports = Object.entries(env).map(([name, value]) => `export ${name}=${shellQuoted(value)}`)
  return ['#!/bin/sh', ...exports, `cd ${shellQuoted(cwd)} || exit 125`, `exec ${command.map(shellQuoted).join(' ')}`, ''].join('\n')
}

export interface GuestFile {
  /** Relative to the root of the initramfs. */
  readonly path: string
  readonly text: string
  readonly mode: number
}

function script (name: string): string {
  return readFileSync(`${packageRoot()}/harness/vm/guest/${name}.sh`, 'utf8')
}

/** The text files of the initramfs. @param modules paths, in load order */
export function guestFiles (job: GuestJob, modules: readonly string[]): GuestFile[] {
  return [
    { path: 'init', text: script('init'), mode: 0o755 },
    { path: 'modules/order', text: modules.map(module => `${basename(module)}\n`).join(''), mode: 0o644 },
    { path: 'weir/supervise', text: script('supervise'), mode: 0o755 },
    { path: 'weir/job', text: jobScript(job), mode: 0o755 },
    ...job.uid === undefined ? [] : systemdFiles(job.uid, job.cwd)
  ]
}

function systemdFiles (uid: number, cwd: string): GuestFile[] {
  const needs = `user@${uid}.service dbus.service systemd-logind.service`
  return [
    { path: 'weir/user', text: `${uid}\n`, mode: 0o644 },
    { path: 'weir/cwd', text: `${cwd}\n`, mode: 0o644 },
    { path: 'weir/as-user', text: script('as-user'), mode: 0o755 },
    // At boot it empties /tmp, which here is the host's, over 9p: a minute, and the clone may lie there.
    { path: 'weir/units/systemd-tmpfiles-setup.service.d/run-only.conf', text: '[Service]\nExecStart=\nExecStart=systemd-tmpfiles --prefix=/run --create --boot\n', mode: 0o644 },
    { path: 'weir/units/weir-job.target', text: '[Unit]\nRequires=basic.target weir-job.service\n', mode: 0o644 },
    { path: 'weir/units/weir-job.service', text: `[Unit]\nRequires=${needs}\nAfter=${needs}\n\n[Service]\nExecStart=/weir/supervise\n`, mode: 0o644 }
  ]
}
