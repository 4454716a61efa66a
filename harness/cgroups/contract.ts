/** Control groups as the harness needs them: one child group per llama-server, limits by their cgroup v2 names, counters, removal. */

/**
 * Settings by their v2 names and in v2 notation (`cpu.max` = `QUOTA_USEC PERIOD_USEC` or `max PERIOD_USEC`; memory in bytes or `max`;
 * `io.max` = `MAJ:MIN rbps=… wbps=… riops=… wiops=…`). Documentation/admin-guide/cgroup-v2.rst.
 */
export type Setting = 'cpu.max' | 'cpu.max.burst' | 'cpu.weight' | 'cpuset.cpus' |
'memory.max' | 'memory.high' | 'memory.low' | 'memory.min' | 'memory.swap.max' | 'io.max'

export type Controller = 'cpu' | 'cpuset' | 'memory' | 'io'

/** A group of our own, below the parent that we may write. */
export interface Group {
  /** v1: the same names, translated to the v1 files of each hierarchy; evidence from it is labelled `cgroup v1`. */
  readonly version: 'v2' | 'v1'
  /** v2: its folder. v1: the folders by controller, joined by a comma. For messages and evidence. */
  readonly path: string
  /** Prefix of a command line that puts a program into this group before it runs (`sh -c 'echo $$ > …; exec "$@"' sh`). */
  readonly enter: readonly string[]
  /** @throws Error naming file, value and what the kernel said; also where v1 has no such setting. */
  set (setting: Setting, value: string): Promise<void>
  /** As the kernel has it now, in v2 notation. */
  get (setting: Setting): Promise<string>
  /** Flattened counters with v2 names (`cpu.stat.nr_throttled`, `memory.events.oom_kill`, `cpu.pressure.full_usec`); what the kernel lacks is absent. */
  counters (): Record<string, number>
  /** A group beside it under one memory limit; only where it was made so. */
  readonly beside?: { readonly enter: readonly string[], processes (): number[], commonLimit (): string }
  /** Process ids in it now. */
  processes (): Promise<number[]>
  /** Kills what is still in it, waits until it is empty, removes it. Idempotent. */
  remove (): Promise<void>
}

export interface GroupOptions {
  /** The group lies, with another one beside it, in a group of this `memory.max`, bytes. cgroup v2 only. */
  readonly commonLimitBytes?: number
}

/** Where groups can be made on this machine, or why not. */
export type GroupHost =
  | { readonly ok: true, readonly version: 'v2' | 'v1', readonly controllers: readonly Controller[], readonly parent: string, create (name: string, controllers: readonly Controller[], options?: GroupOptions): Promise<Group> }
  | { readonly ok: false, readonly why: string, /** The exact command to type. */ readonly mend: string }
