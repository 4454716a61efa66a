import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import type { GroupHost } from '../cgroups/contract.js'
import type { Knob, ServerRunning } from '../knobs/contract.js'
import { nowMs } from '../clock.js'
import { prepareLoad, type PreparedLoad } from '../load/spawn.js'
import { ServerStartError, startServer } from '../../models/start.js'
import type { ServerOptions } from '../../models/types.js'
import type { BlockEvidence, BlockPlan, Condition, Placement, ServerEnd, Workload } from '../types.js'
import { beforeServer, launched, makeGroup, readBackAll, whileRunning } from './knob-stages.js'
import { oomKillIn } from '../probes/kernel-log.js'
import { openLoopLoad } from './open-loop-load.js'
import { parseCpuList, readAffinity } from './placement.js'
import { countersOf, watchServer, type ServerWatch } from './server-watch.js'
import { streamsLoad } from './streams-load.js'
import { withUndo, type UndoStack } from './undo-stack.js'
import type { Reading } from './yardstick.js'

export type BlockStep = 'start' | 'capacity' | 'load' | 'capacity again'

/** Of an open loop: what its condition says of the gateway and its clients. */
export type ConditionTraffic = Pick<Condition, 'policies' | 'policyOptions' | 'tellsLimit' | 'retry'>

export interface BlockInput extends ConditionTraffic {
  readonly plan: BlockPlan
  readonly workload: Workload
  /** On in this block's condition. */
  readonly knobs: readonly Knob[]
  readonly groupHost: () => Promise<GroupHost>
  readonly server: Omit<ServerOptions, 'logPath'>
  readonly placement: Placement
  /** Of the prompt that all streams share. */
  readonly promptSeed: number
  readonly folder: string
  readonly signal: AbortSignal
  readonly onStep: (step: BlockStep) => void
  /** Read before anything of the block is started and after all is put back. Absent: the block has no reading. */
  readonly yardstick?: () => Promise<Reading>
}

/** A llama-server that is still at work on calls nobody waits for ends after them, a second later; all that is wanted of it is on record by then. */
const STOP_GRACE_MS = 200

/** A block whose llama-server is healthy and whose knobs are read back. */
export interface ReadyBlock {
  readonly input: BlockInput
  readonly at: ServerRunning
  readonly server: ServerWatch
  readonly nextGenerator: () => PreparedLoad
  readonly undo: UndoStack
}

/** What a load leaves in block.json. */
export type LoadEvidence = Pick<BlockEvidence, 'loadFromMs' | 'judgedFromMs' | 'judgedToMs' | 'drainedAtMs' | 'generatorEventLoopDelayMaxMs' | 'readBack'> &
  Partial<Pick<BlockEvidence, 'closedLoops' | 'groupCountersAtStart' | 'serverCountersAtStart' | 'serverCountersAtEnd' | 'slotSecondsWasted' | 'osAtStart' | 'osAtEnd' | 'serverEnd' | 'tools'>>

/**
 * One block: a fresh llama-server in the state that its condition names, the load, and everything put back on every way out. `block.json` is
 * written last: a folder without it does not count.
 */
export async function runBlock (input: BlockInput): Promise<BlockEvidence> {
  rmSync(input.folder, { recursive: true, force: true })
  mkdirSync(input.folder, { recursive: true })
  const startedAt = new Date().toISOString()
  const before = await input.yardstick?.()
  const block = await withUndo(async undo => await measured(input, undo))
  const after = await input.yardstick?.()
  const evidence = { ...block, ...(before === undefined || after === undefined ? {} : { yardstick: { threads: before.threads, beforeMs: before.ms, afterMs: after.ms } }), startedAt }
  writeFileSync(`${input.folder}/block.json`, JSON.stringify(evidence, null, 2) + '\n')
  return evidence
}

async function measured (input: BlockInput, undo: UndoStack): Promise<Omit<BlockEvidence, 'startedAt'>> {
  const { plan, knobs, folder, placement, signal, workload } = input
  input.onStep('start')
  const options = launched(knobs, input.server)
  const group = await makeGroup(knobs, input.groupHost, `weir-${process.pid}-block${plan.index}`, undo)
  const before = { folder, server: options, group, clientCpus: placement.clientCpus, signal }
  await beforeServer(knobs, before, undo)
  signal.throwIfAborted()
  const common = { plan, placement, warnings: [], ...(group === undefined ? {} : { group: { version: group.version, path: group.path } }) }
  const atEnd = (): Pick<BlockEvidence, 'groupCountersAtEnd'> => group === undefined ? {} : { groupCountersAtEnd: countersOf(group) }

  const nextGenerator = prepareGenerators(input, undo)
  let running
  const launchedMs = nowMs()
  try {
    running = await startServer({ ...options, logPath: `${folder}/llama-server.log`, ...(group === undefined ? {} : { enter: group.enter }) }, { signal, stopGraceMs: STOP_GRACE_MS })
  } catch (error) {
    const killed = !signal.aborted && workload.kind === 'streams' && group !== undefined && (countersOf(group)['memory.events.oom_kill'] ?? 0) > 0
    if (!killed) throw error
    return { ...common, ...withoutLoad(error, await oomKillIn(group.path)), serverCommandLine: [], ...atEnd() }
  }
  const serverStart = { launchedMs, readyMs: nowMs() }
  undo.push('llama-server', () => running.stop())
  const affinity = checkAffinity(input, options.cpus, running.pid, group !== undefined)
  const at = { ...before, pid: running.pid, url: running.url, apiKey: running.apiKey }
  await whileRunning(knobs, at, undo)
  const readBack = { 'llama-server CPUs': affinity, ...await readBackAll(knobs, at) }
  signal.throwIfAborted()

  const ready = { input, at, server: watchServer(running, group), nextGenerator, undo }
  const load = workload.kind === 'open-loop' ? await openLoopLoad(ready, workload) : await streamsLoad(ready, workload)
  signal.throwIfAborted()
  return { ...common, ...load, readBack: { ...readBack, ...load.readBack }, serverCommandLine: running.commandLine, serverStart, ...atEnd() }
}

/** A process for each load of the block, which loads while llama-server does: nothing is measured then. Gives them in turn. */
function prepareGenerators ({ placement: { clientCpus }, workload }: BlockInput, undo: UndoStack): () => PreparedLoad {
  const prepare = (): PreparedLoad => {
    const each = prepareLoad({ cpus: clientCpus, rehearse: workload.kind === 'open-loop' })
    undo.push('load generator', () => each.stop())
    return each
  }
  const before = workload.kind === 'open-loop' || workload.warmupCalls > 0 ? 1 : 0
  const after = workload.kind === 'open-loop' && workload.capacityAgain === true ? 1 : 0
  const prepared = Array.from({ length: before + 1 + after }, prepare)
  return () => prepared.shift() ?? prepare()
}

/** A server that was killed before it was ready, by the limit that the block is about. */
function withoutLoad (error: unknown, kernelLog: string | undefined): LoadEvidence {
  const atMs = nowMs()
  const serverEnd: ServerEnd = {
    during: 'start',
    code: null,
    signal: null,
    atMs,
    why: `killed by the kernel for want of memory before it was ready (${error instanceof Error ? error.message.split('\n')[0] : String(error)})`,
    ...(error instanceof ServerStartError ? error.end : {}),
    ...(kernelLog === undefined ? {} : { kernelLog })
  }
  return { loadFromMs: atMs, judgedFromMs: atMs, judgedToMs: atMs, drainedAtMs: atMs, generatorEventLoopDelayMaxMs: 0, readBack: {}, serverEnd }
}

/** Before any knob moves it. In a group with a cpuset fewer CPUs than asked are that knob's doing, and read back by it. */
function checkAffinity ({ plan }: BlockInput, asked: readonly number[] | undefined, pid: number, inGroup: boolean): string {
  const affinity = readAffinity(pid)
  if (asked === undefined || affinity === 'unknown') return affinity
  const seen = parseCpuList(affinity)
  const as = inGroup ? seen.every(cpu => asked.includes(cpu)) : seen.join() === [...asked].sort((a, b) => a - b).join()
  if (!as) throw new Error(`block ${plan.index}: llama-server may run on CPUs ${affinity}, the plan says ${asked.join(',')}`)
  return affinity
}
