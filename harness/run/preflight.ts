import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { delimiter } from 'node:path'
import { perf } from '../tools/perf.js'
import { cgroupVersion } from './manifest.js'
import { allowedCpus } from './placement.js'

export interface Check {
  readonly what: string
  readonly ok: boolean
  /** What is lost without it. */
  readonly lost: string
  /** What to type or do. */
  readonly mend: string
}

function onPath (program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some(folder => {
    try { accessSync(`${folder}/${program}`, constants.X_OK); return true } catch { return false }
  })
}

const sysstat = 'pidstat and iostat (sysstat)'

/** What this machine lacks for a measured comparison, and what is lost by it. Nothing here stops a run. */
export function preflight (): Check[] {
  const linux = process.platform === 'linux'
  const mounts = existsSync('/proc/mounts') ? readFileSync('/proc/mounts', 'utf8') : ''
  return [
    { what: 'Linux', ok: linux, lost: 'all OS evidence and CPU placement; claims stay UNSUPPORTED', mend: 'run it on Linux, or in a Linux VM' },
    { what: 'two CPUs or more', ok: allowedCpus().length >= 2, lost: 'llama-server shares its CPU with the load that measures it', mend: 'give the machine or VM a second CPU' },
    { what: 'taskset (util-linux)', ok: onPath('taskset'), lost: 'CPU placement', mend: 'sudo apt-get install util-linux' },
    { what: 'ss (iproute2)', ok: onPath('ss'), lost: 'the OS leg of the admission claim: it stays UNSUPPORTED', mend: 'sudo apt-get install iproute2' },
    { what: sysstat, ok: onPath('pidstat') && onPath('iostat'), lost: 'harness study does not start; the second tool beside the harness\'s own readings of /proc: CPU time, switches, faults, reads and disks are not cross-checked, and claims whose OS leg is theirs stay UNSUPPORTED', mend: 'sudo apt-get install sysstat' },
    { what: 'vmstat (procps)', ok: onPath('vmstat'), lost: 'the second tool for switches and swap of the whole machine', mend: 'sudo apt-get install procps' },
    perfCheck(),
    { what: 'pressure stall information', ok: existsSync('/proc/pressure/cpu'), lost: 'PSI curves in the report', mend: 'boot the kernel with psi=1' },
    { what: 'cgroup v2', ok: cgroupVersion(mounts) === 'v2', lost: 'experiments that limit CPU, memory or IO by cgroup v2, and the counters of llama-server\'s group; comparisons of policies need neither', mend: 'boot with systemd.unified_cgroup_hierarchy=1' }
  ]
}

/** What a study, whose claims want evidence by two tools, cannot do without, and how to get it; undefined: nothing. */
export function missingForStudy (checks: readonly Check[] = preflight()): string | undefined {
  const lacking = checks.find(({ what, ok }) => what === sysstat && !ok)
  return lacking === undefined ? undefined : `${lacking.what} are missing, and a study needs them: without a second tool beside the harness's own readings its claims stay UNSUPPORTED. To install: ${lacking.mend} (single experiments run without: harness compare, harness run)`
}

function perfCheck (): Check {
  const lost = 'the second tool for context switches and migrations; claims whose OS leg is perf\'s stay UNSUPPORTED'
  const refused = perf.refused?.()
  if (onPath('perf') && refused !== undefined) return { what: 'perf that counts the kernel\'s events', ok: false, lost, mend: refused }
  const isUbuntu = existsSync('/etc/os-release') && /^ID=ubuntu$/m.test(readFileSync('/etc/os-release', 'utf8'))
  return { what: 'perf (linux-perf)', ok: onPath('perf'), lost, mend: `sudo apt-get install ${isUbuntu ? 'linux-tools-generic linux-tools-$(uname -r)' : 'linux-perf'}` }
}

/** One line for each thing that is missing, for the manifest and the report. */
export function missing (checks: readonly Check[]): string[] {
  return checks.filter(check => !check.ok).map(check => `${check.what}: missing; lost by it: ${check.lost}`)
}
