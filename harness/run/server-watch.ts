import { setTimeout as sleep } from 'node:timers/promises'
import type { Group } from '../cgroups/contract.js'
import { nowMs } from '../clock.js'
import type { RunningServer } from '../../models/types.js'
import type { ServerEnd } from '../types.js'

/** A running llama-server whose end is noticed. */
export interface ServerWatch {
  readonly running: RunningServer
  readonly group: Group | undefined
  /** Aborts a little after the server ended by itself or was killed: its calls have failed by then, and no more are worth making. */
  readonly gone: AbortSignal
  /** How it ended, if it did before `stop()`; waits a moment for an end that is under way when calls have failed. */
  end (callsFailed: boolean): Promise<ServerEnd | undefined>
}

/** From the exit to the end of the load. */
const LET_CALLS_FAIL_MS = 300
/** From the failure of a call to the exit that was its cause. */
const LET_EXIT_ARRIVE_MS = 500

export function watchServer (running: RunningServer, group: Group | undefined): ServerWatch {
  const gone = new AbortController()
  let seen: ServerEnd | undefined
  running.exited.then(({ code, signal }) => {
    seen = { during: 'load', code, signal, atMs: nowMs(), why: signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}` }
    setTimeout(() => gone.abort(new Error('llama-server is gone')), LET_CALLS_FAIL_MS).unref()
  })
  return {
    running,
    group,
    gone: gone.signal,
    async end (callsFailed) {
      if (seen === undefined && callsFailed) await Promise.race([running.exited, sleep(LET_EXIT_ARRIVE_MS)])
      return seen
    }
  }
}

/** Empty when they cannot be read any more. */
export function countersOf (group: Group): Record<string, number> {
  try {
    return group.counters()
  } catch {
    return {}
  }
}
