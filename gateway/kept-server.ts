import { rename } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { oomCounterOf, type OomCounter } from '../models/oom-kills.js'
import { ServerStartError } from '../models/start.js'
import type { RunningServer } from '../models/types.js'
import { tellEnd } from './server-end.js'

export interface KeepOptions {
  /** Starts it at the same address with the same key. @throws ServerStartError, or the signal's reason */
  readonly again: (signal: AbortSignal) => Promise<RunningServer>
  readonly say: (text: string) => void
  /** One that ended sooner after it was ready has ended at once, milliseconds. */
  readonly steadyAfterMs?: number
  /** Before it is started again, milliseconds; doubled each time that it ends at once. */
  readonly pauseMs?: number
  readonly counterOf?: (pid: number) => Promise<OomCounter | undefined>
}

/** A llama-server that is started again, at the same address, when it ends unasked. */
export interface KeptServer {
  readonly url: string
  readonly apiKey: string
  /** Settles when it was given up: it could not be kept running. Pending for ever otherwise. */
  readonly givenUp: Promise<Error>
  stop (): Promise<void>
}

/** Ends at once, or starts that failed, in a row. */
const mostInARow = 3

export function keepServer (first: RunningServer, options: KeepOptions): KeptServer {
  const stopping = new AbortController()
  let current = first
  const kept = keep()

  async function keep (): Promise<Error | undefined> {
    let inARow = 0
    for (;;) {
      const startedMs = performance.now()
      const end = await endOf(current, options)
      if (stopping.signal.aborted) return undefined
      if (performance.now() - startedMs >= (options.steadyAfterMs ?? 30_000)) inARow = 0
      let told = await tellEnd(end)
      for (;;) {
        if (++inARow >= mostInARow) return new Error(`${told}\nllama-server did not keep running ${inARow} times in a row, so it is not started again`)
        options.say(`${told}\nstarting it again; until it is ready, calls are refused with 502 or 503 and Retry-After`)
        await sleep((options.pauseMs ?? 1000) * 2 ** (inARow - 1), undefined, { signal: stopping.signal }).catch(() => {})
        if (stopping.signal.aborted) return undefined
        // The log of the one that ended would be overwritten.
        await rename(current.logPath, `${current.logPath}.ended`).catch(() => {})
        try {
          current = await options.again(stopping.signal)
          options.say('llama-server is ready again')
          break
        } catch (error) {
          if (stopping.signal.aborted) return undefined
          if (!(error instanceof ServerStartError)) return error instanceof Error ? error : new Error(String(error))
          told = error.message
        }
      }
    }
  }

  return {
    url: first.url,
    apiKey: first.apiKey,
    givenUp: new Promise((resolve, reject) => { kept.then(error => { if (error !== undefined) resolve(error) }, reject) }),
    async stop () {
      stopping.abort()
      await current.stop()
      await kept.catch(() => {})
      await current.stop()
    }
  }
}

async function endOf ({ pid, exited, logPath }: RunningServer, { counterOf = oomCounterOf }: KeepOptions) {
  const counter = await counterOf(pid)
  const before = await counter?.read()
  const exit = await exited
  const after = await counter?.read()
  return { exit, logPath, ...(counter === undefined || before === undefined || after === undefined ? {} : { oomKills: { path: counter.path, before, after } }) }
}
