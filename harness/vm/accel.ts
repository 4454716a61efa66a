import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram, programs } from './machine.js'
import { cpuModel, type Accel } from './qemu.js'

export interface Acceleration {
  readonly accel: Accel
  /** Why it is not KVM; absent when it is. */
  readonly why?: string
}

/** A QEMU that makes a virtual CPU, counts and ends takes a twentieth of a second; one whose KVM interprets the guest's instructions would need 20 s and more. */
const probeTimeoutMs = 5000
/** A few hundredths of a second for a CPU, real or virtual. */
const countedDown = 10_000_000
/** What the firmware ends QEMU with: it writes 42 to the port, and isa-debug-exit makes 2 × 42 + 1 of it, which no error of QEMU's own is. */
const probeExitCode = 85
const exitPort = 0xf4

/**
 * KVM where this user may open it and a virtual CPU computes with it, else an emulated CPU. That is tried: within some virtual machines /dev/kvm is there, and QEMU aborts
 * on it ("failed to set MSR"), or its CPU is a hundred times slower than an emulated one (kvm_pvm interprets guests that were not made for it: Linux does not boot in minutes).
 * @param qemu its path; absent: as it is found on PATH, and where it is not installed the device alone decides
 * @param timeoutMs for counting
 */
export async function acceleration (device = '/dev/kvm', qemu?: string, timeoutMs = probeTimeoutMs): Promise<Acceleration> {
  if (!existsSync(device)) return { accel: 'tcg', why: `there is no ${device}` }
  try {
    accessSync(device, constants.R_OK | constants.W_OK)
  } catch {
    return { accel: 'tcg', why: `${device} may not be used by this user; for KVM: sudo adduser $USER kvm, then log in again` }
  }
  const program = qemu ?? await findProgram(programs.qemu[0])
  const trouble = program === undefined ? undefined : await kvmTrouble(program, timeoutMs)
  return trouble === undefined ? { accel: 'kvm' } : { accel: 'tcg', why: `${device} is there, but QEMU cannot use it here (${trouble})` }
}

/** What speaks against KVM: what QEMU says when it runs a firmware that counts and ends it, or that this takes too long; undefined when all is well. */
async function kvmTrouble (qemu: string, timeoutMs: number): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-kvm-'))
  try {
    const firmware = join(folder, 'count.rom')
    await writeFile(firmware, countingFirmware())
    return await new Promise(resolve => {
      const args = ['-nodefaults', '-no-user-config', '-display', 'none', '-nic', 'none', '-no-reboot', '-machine', 'q35,accel=kvm', '-cpu', cpuModel, '-bios', firmware, '-device', `isa-debug-exit,iobase=${exitPort},iosize=1`]
      execFile(qemu, args, { timeout: timeoutMs, killSignal: 'SIGKILL' }, (error, _stdout, stderr) => {
        if (error?.code === probeExitCode) resolve(undefined)
        else if (error?.killed === true) resolve(`a virtual CPU does not count to ${countedDown / 1e6} million within ${timeoutMs / 1000} s`)
        else resolve(stderr.trim().split('\n')[0]?.replace(/^.*?: (?:error: )?/, '') || `it ended with ${error?.signal ?? error?.code ?? 'code 0'}`)
      })
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** 64 KiB that a PC finds below 1 MiB: where the CPU begins, a jump to F000:FE00; there it counts down to nothing in 16-bit code and writes to the port that ends QEMU. */
function countingFirmware (): Buffer {
  const firmware = Buffer.alloc(0x10000, 0xf4) // hlt
  firmware.set([0xea, 0x00, 0xfe, 0x00, 0xf0], 0xfff0) // jmp F000:FE00
  firmware.set([0x66, 0xb9], 0xfe00) // mov ecx, countedDown
  firmware.writeUInt32LE(countedDown, 0xfe02)
  firmware.set([0x66, 0x49, 0x75, 0xfc], 0xfe06) // dec ecx; jnz there
  firmware.set([0xb0, (probeExitCode - 1) / 2, 0xe6, exitPort], 0xfe0a) // mov al, 42; out exitPort, al
  return firmware
}
