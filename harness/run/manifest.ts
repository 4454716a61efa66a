import { existsSync, readFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import { autogroupEnabled } from '../probes/autogroup.js'
import { packageCommit, packageVersion } from '../package-root.js'
import type { ModelFile, ServerBinary } from '../../models/types.js'
import type { Manifest, Placement } from '../types.js'

function read (path: string): string {
  try { return readFileSync(path, 'utf8') } catch { return '' }
}

/** v1 when a controller of the old hierarchies is mounted, even beside an empty v2 mount: such a host cannot limit by v2. */
export function cgroupVersion (mounts: string): Manifest['cgroup'] {
  const lines = mounts.split('\n').map(line => line.split(' '))
  if (lines.some(([, , fstype, options = '']) => fstype === 'cgroup' && /\b(cpu|memory)\b/.test(options))) return 'v1'
  return lines.some(([, , fstype]) => fstype === 'cgroup2') ? 'v2' : 'none'
}

/** @param weirVm set by `harness vm run` in its VM: `kvm` or `tcg` (emulated: times are not the host's) */
export function virtualisation (weirVm: string | undefined, cpuinfo: string, inContainer: boolean): string {
  if (weirVm !== undefined) return `vm: ${weirVm}`
  return /\bhypervisor\b/.test(cpuinfo) ? 'virtual machine' : inContainer ? 'container' : 'none seen'
}

export interface ManifestInput {
  readonly model: ModelFile
  readonly otherModels: readonly ModelFile[]
  readonly binary: ServerBinary
  readonly slots: number
  readonly threads: number
  readonly batchTokens: number
  readonly slotContextTokens: number
  readonly placement: Placement
  readonly missing: readonly string[]
}

/** The machine and the settings a result was measured with. No host name, no user, no path of the machine's. */
export function makeManifest (input: ManifestInput): Manifest {
  const { model, otherModels, binary, placement, missing, ...server } = input
  const cpuinfo = read('/proc/cpuinfo')
  const [gitCommit, governor] = [packageCommit(), read('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor').trim()]
  return {
    weirVersion: packageVersion(),
    ...(gitCommit === undefined ? {} : { gitCommit }),
    node: process.version,
    kernel: `${type()} ${release()}`,
    cpuModel: cpus()[0]?.model ?? 'unknown',
    cpus: cpus().length,
    memoryBytes: totalmem(),
    virtualisation: virtualisation(process.env['WEIR_VM'], cpuinfo, existsSync('/.dockerenv')),
    cgroup: cgroupVersion(read('/proc/mounts')),
    autogroup: autogroupEnabled(),
    ...(governor === '' ? {} : { governor }),
    model: withoutFolder(model),
    ...(otherModels.length === 0 ? {} : { otherModels: otherModels.map(withoutFolder) }),
    server: { version: binary.version, from: binary.from, ...server },
    placement,
    missing
  }
}

function withoutFolder (model: ModelFile): ModelFile {
  return { ...model, path: model.path.split('/').at(-1) ?? '' }
}
