import type { Accel } from './qemu.js'

export interface VmRunOptions {
  /** Program and arguments, as they lie on the host; not a shell line. */
  readonly command: readonly string[]
  /** Of the VM. 256 to 65,536; 2,048 by default. */
  readonly memoryMb?: number
  /** 1 to 64; 2 by default. */
  readonly cpus?: number
  /** Size of a swap disk, to 65,536; 0 (the default): no swap. */
  readonly swapMb?: number
  /** Copied to an ext4 disk of its own, `/weir/data` in the VM: page cache, refaults and iostat are real there. Writable; writes are lost. */
  readonly dataFolder?: string
  /**
   * What the command writes below `WEIR_OUT` lies here as it is written, also when the VM's kernel panics; then
   * `vm-console.log`, too. Made when it is not there.
   */
  readonly outFolder?: string
  /** In all, the boot included. 1 to 86,400; 600 by default. */
  readonly timeoutSeconds?: number
  /** From asking the command to end (`signal`, time up) to killing the VM. 5 by default. */
  readonly stopGraceSeconds?: number
  /** Working directory; the current one by default. */
  readonly cwd?: string
  /** Beside PATH, HOME, LANG, WEIR_VM and WEIR_OUT; nothing else of the host's environment goes in. */
  readonly env?: Readonly<Record<string, string>>
  /**
   * The host's systemd is the VM's first program, and an ordinary user runs the command in `systemd-run --user --scope -p Delegate=yes`.
   * The user is the one who runs us; uid 4242 when that is root.
   */
  readonly systemd?: boolean
  readonly onOutput?: (stream: 'out' | 'err', data: Buffer) => void
  /** One line for each step, as it begins. */
  readonly onProgress?: (text: string) => void
  /** Aborted: the command gets SIGTERM and `stopGraceSeconds` to end, then the VM is killed and the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

export interface VmResult {
  /** Of the command; 128 + signal when a signal ended it, 127 when there is no such program. */
  readonly exitCode: number
  readonly accel: Accel
  /** `uname -r` in the VM. */
  readonly kernel: string
  /** From the start of QEMU to the command's, seconds. */
  readonly bootSeconds: number
}

/** The time was up. */
export class VmTimeoutError extends Error {
  override readonly name = 'VmTimeoutError'
}
