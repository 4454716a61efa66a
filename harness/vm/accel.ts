import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { findProgram, programs } from './machine.js'
import { cpuModel, type Accel } from './qemu.js'

export interface Acceleration {
  readonly accel: Accel
  /** Why it is not KVM; absent when it is. */
  readonly why?: string
}

/** A QEMU that makes a virtual CPU and ends takes a twentieth of a second. */
const probeTimeoutMs = 10_000

/**
 * KVM where this user may open it and QEMU can make a virtual CPU with it, else an emulated CPU. That is tried: within some virtual machines /dev/kvm is there and QEMU
 * aborts on it ("failed to set MSR").
 * @param qemu its path; absent: as it is found on PATH, and where it is not installed the device alone decides
 */
export async function acceleration (device = '/dev/kvm', qemu?: string): Promise<Acceleration> {
  if (!existsSync(device)) return { accel: 'tcg', why: `there is no ${device}` }
  try {
    accessSync(device, constants.R_OK | constants.W_OK)
  } catch {
    return { accel: 'tcg', why: `${device} may not be used by this user; for KVM: sudo adduser $USER kvm, then log in again` }
  }
  const program = qemu ?? await findProgram(programs.qemu[0])
  const trouble = program === undefined ? undefined : await kvmTrouble(program)
  return trouble === undefined ? { accel: 'kvm' } : { accel: 'tcg', why: `${device} is there, but QEMU cannot use it here (${trouble})` }
}

/** What QEMU says when it makes a stopped machine with KVM and is told to quit; undefined when all is well. */
function kvmTrouble (qemu: string): Promise<string | undefined> {
  return new Promise(resolve => {
    const args = ['-nodefaults', '-no-user-config', '-display', 'none', '-nic', 'none', '-S', '-machine', 'q35,accel=kvm', '-cpu', cpuModel, '-monitor', 'stdio']
    const child = execFile(qemu, args, { timeout: probeTimeoutMs, killSignal: 'SIGKILL' }, (error, _stdout, stderr) => {
      if (error === null) resolve(undefined)
      else resolve(stderr.trim().split('\n')[0]?.replace(/^.*?: (?:error: )?/, '') || `it ended with ${error.signal ?? error.code ?? error.message}`)
    })
    child.stdin?.on('error', () => {})
    child.stdin?.end('quit\n')
  })
}
