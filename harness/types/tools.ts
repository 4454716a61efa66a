/**
 * What tools that are not ours saw of a block, beside the sampler: the second source of the same quantities (`pidstat`, `iostat`, `vmstat`, `perf stat`).
 * A field is absent where the tool did not run, said nothing of it, or has no whole interval inside the judged window.
 */

/** The part of the judged window that whole intervals of the tool cover; all counts are of it and not of the whole window. Monotonic milliseconds. */
export interface ToolWindow {
  readonly fromMs: number
  readonly toMs: number
}

/** llama-server, by `pidstat -u -r -w -d -t -h -H`: times and faults of the process, switches summed over its threads (pidstat's own row of a process has those of its first thread). */
export interface PidstatTotals extends ToolWindow {
  /** %usr + %system. */
  readonly cpuUsec: number
  readonly voluntarySwitches: number
  readonly involuntarySwitches: number
  readonly minorFaults: number
  readonly majorFaults: number
  /** From storage; absent where the kernel has no TASK_IO_ACCOUNTING or keeps it from us. */
  readonly readBytes?: number
  /** %wait of the threads together: runnable, but waiting for a CPU. Absent in sysstat before 11.5. */
  readonly waitUsec?: number
  /** Its threads that used a hundredth of its CPU time or more, most first. Absent as `waitUsec` is. */
  readonly threads?: ReadonlyArray<{ readonly cpuUsec: number, readonly waitUsec: number }>
}

/** All whole disks together, by `iostat -x -y`. */
export interface IostatTotals extends ToolWindow {
  readonly reads: number
  readonly readBytes: number
  readonly writtenBytes: number
  /** Mean time of a read from queue to answer; absent when there was none. */
  readonly readAwaitMs?: number
}

/** The whole machine, by `vmstat`. */
export interface VmstatTotals extends ToolWindow {
  readonly contextSwitches: number
  readonly swapInBytes: number
  readonly swapOutBytes: number
  /** Runnable and running tasks at the ends of the intervals, mean. */
  readonly runnable: number
  /** Stolen by the hypervisor, share of all CPU time. */
  readonly stealShare: number
}

/** llama-server, software events of `perf stat -p PID`: counted by the kernel at the event itself. Never a hardware counter. */
export interface PerfTotals extends ToolWindow {
  readonly contextSwitches: number
  readonly cpuMigrations: number
  readonly minorFaults: number
  readonly majorFaults: number
  /** task-clock. */
  readonly cpuUsec: number
}

export interface BlockTools {
  readonly pidstat?: PidstatTotals
  readonly iostat?: IostatTotals
  readonly vmstat?: VmstatTotals
  readonly perf?: PerfTotals
}

export type ToolName = keyof BlockTools

/** In block.json: how each tool was run, or why it was not. Its output is beside it, as the tool printed it: `tools/NAME.txt`. */
export interface ToolRun {
  readonly tool: ToolName
  readonly commandLine: readonly string[]
  /** Its own CPU time (clock ticks of 10 ms) in the time that it ran; absent when it had ended by itself. */
  readonly cpuUsec?: number
  readonly ranMs?: number
  /** Not installed, refused by the kernel, or ended by itself: in words. What it had printed until then is kept. */
  readonly missing?: string
}

/** The same quantity by our own readers of /proc and cgroups and by another tool, over the other tool's `ToolWindow`. */
export interface CrossCheck {
  /** E.g. `cpu-time`. */
  readonly quantity: string
  readonly unit: string
  /** E.g. `pidstat %usr + %system`. */
  readonly tool: string
  readonly theirs: number
  /** E.g. `/proc/PID/stat`. */
  readonly source: string
  readonly ours: number
  /** By how much they may differ: 2 % of the greater, or the floor of this quantity where that is more. */
  readonly tolerance: number
  readonly agrees: boolean
}
