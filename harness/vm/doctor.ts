import { onPath } from '../../models/command.js'
import { acceleration, type Acceleration } from './accel.js'
import { cachedKernel } from './kernel.js'
import { findProgram, missingForSystemd, programs } from './machine.js'

interface Need {
  readonly what: string
  readonly ok: boolean
  /** Said of it when it is there, or beside what is missing. */
  readonly note: string
  /** Debian package that brings it. */
  readonly package?: string
}

/** What the VM needs, a line each, and one apt line for all that is missing. `ok`: a VM can be started now. */
export async function doctorLines (env: NodeJS.ProcessEnv = process.env): Promise<{ readonly lines: readonly string[], readonly ok: boolean }> {
  return report(await needs(env), [accelLine(await acceleration()), systemdLine(missingForSystemd())])
}

async function needs (env: NodeJS.ProcessEnv): Promise<Need[]> {
  const found = async ([name, debianPackage]: readonly [string, string]): Promise<Need> => {
    const path = await findProgram(name, env)
    return { what: name, ok: path !== undefined, note: path ?? 'neither on PATH nor in /usr/sbin', package: debianPackage }
  }
  const kernel = await cachedKernel(env)
  const apt = await onPath('apt-get', env) !== undefined && await onPath('dpkg', env) !== undefined
  const fetchable = apt ? 'not in the cache yet: the first run downloads linux-image-amd64 and busybox-static (75 MB), installs nothing' : 'not in the cache, and there is no apt-get to download them with: needs Debian or Ubuntu'
  return [
    { what: 'Linux on x86-64', ok: process.platform === 'linux' && process.arch === 'x64', note: `${process.platform} on ${process.arch}` },
    await found(programs.qemu),
    await found(programs.mke2fs),
    { what: 'kernel and busybox', ok: kernel !== undefined || apt, note: kernel === undefined ? fetchable : `Linux ${kernel.version}, in the cache` }
  ]
}

/** Pure part of `doctorLines`. */
export function report (needs: readonly Need[], more: readonly string[]): { lines: string[], ok: boolean } {
  const missing = needs.filter(need => !need.ok)
  const packages = missing.flatMap(need => need.package ?? [])
  return {
    ok: missing.length === 0,
    lines: [
      ...needs.map(need => `${need.ok ? 'ok      ' : 'MISSING '}${need.what}: ${need.note}`),
      ...more,
      ...packages.length === 0 ? [] : [`        to mend: sudo apt-get update && sudo apt-get install --no-install-recommends ${packages.join(' ')}`]
    ]
  }
}

export function systemdLine (missing: readonly string[]): string {
  return missing.length === 0
    ? 'ok      systemd and D-Bus, for --systemd'
    : `        no --systemd; for it: sudo apt-get install --no-install-recommends ${missing.join(' ')}`
}

export function accelLine ({ accel, why }: Acceleration): string {
  return accel === 'kvm'
    ? 'ok      KVM: /dev/kvm may be used'
    : `        TCG: ${why}; the CPU is emulated, some 10 times slower; ratios between arms hold, times are not this machine's`
}
