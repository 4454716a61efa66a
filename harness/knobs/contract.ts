import type { ServerOptions } from '../../models/types.js'
import type { Controller, Group } from '../cgroups/contract.js'

/**
 * Takes back what was done. Called once, on every way out, latest first.
 * @throws Error, all being taken back, when the condition had not lasted until then: the block does not count (a hog that had ended, say)
 */
export type Undo = () => Promise<void>

/** llama-server is not running yet. */
export interface BeforeServer {
  /** Of the block: for logs and scratch files. */
  readonly folder: string
  readonly server: Omit<ServerOptions, 'logPath'>
  /** llama-server's own group, limits not yet set; undefined when no knob of the block needs one. */
  readonly group: Group | undefined
  /** CPUs of load, gateway and sampler. */
  readonly clientCpus: readonly number[]
  readonly signal: AbortSignal
}

/** llama-server is healthy, the load has not begun. */
export interface ServerRunning extends BeforeServer {
  readonly pid: number
  readonly url: string
  readonly apiKey: string
}

/**
 * One system-level condition of a block. Steps that a knob does not need are absent. Order of a block: `launch` of all knobs, the group is
 * made, `before` of all, llama-server starts inside the group, `running` of all, `readBack` of all (the block counts only if none throws),
 * load, `underLoad` of all in the middle of it, undo.
 */
export interface Knob {
  /** As typed: `cpu-quota=500/1000`, `mlock`. */
  readonly spec: string
  readonly name: string
  /** In words, for the report: `CPU quota 500 ms in each 1,000 ms`. */
  readonly title: string
  /** Controllers that llama-server's group must have; empty: no group needed. */
  readonly controllers: readonly Controller[]
  /** True: a property of machine or server, not an interference. Where all conditions have it, so has the calibration that predictions rest on. */
  readonly calibrated?: boolean
  /** llama-server's group is made inside one that has this limit, beside an empty one. */
  readonly commonLimitBytes?: number
  /** Pure: the launch of llama-server with this knob on. */
  launch? (server: Omit<ServerOptions, 'logPath'>): Omit<ServerOptions, 'logPath'>
  before? (at: BeforeServer): Promise<Undo>
  running? (at: ServerRunning): Promise<Undo>
  /** Once the first call of a load of streams was sent. */
  underLoad? (at: ServerRunning): Promise<Undo>
  /** What the kernel (or llama-server) now says of it. @throws Error with asked and seen when they differ. */
  readBack (at: ServerRunning): Promise<Readonly<Record<string, string>>>
}

/** One file in harness/knobs exports one of these. */
export interface KnobKind {
  readonly name: string
  /** Form of the value after `=`, empty when it takes none: `QUOTA_MS/PERIOD_MS`. */
  readonly value: string
  /** For --help and the docs: unit, bounds, source. */
  readonly describe: string
  /** @throws Error that names the value and what is allowed */
  parse (value: string): Knob
}
