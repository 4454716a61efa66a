import { readdirSync } from 'node:fs'
import type { KnobKind } from './contract.js'
import { assertFlag, serverLog } from './server-process.js'
import { wholeIn } from './values.js'

const name = 'threads'

/** `-t`: threads that compute a token together; they spin while they wait for each other. */
export const threads: KnobKind = {
  name,
  value: 'N',
  describe: 'compute threads of llama-server (-t); more than its quota or its free cores allow make it slower',
  parse (value) {
    const count = wholeIn(name, value, 1, 256)
    const spec = `${name}=${value}`
    return {
      spec,
      name,
      title: `${count} compute ${count === 1 ? 'thread' : 'threads'}`,
      controllers: [],
      launch: server => ({ ...server, threads: count }),
      async readBack (at) {
        const flag = assertFlag(spec, at.pid, '-t', String(count))
        const said = [...serverLog(at).matchAll(/\bthreadpool init, n_threads = (\d+)/g)].at(-1)?.[1]
        if (said !== undefined && Number(said) !== count) throw new Error(`${spec}: llama-server says that it computes with ${said} threads`)
        // HTTP threads are in it.
        const all = readdirSync(`/proc/${at.pid}/task`).length
        if (all < count) throw new Error(`${spec}: llama-server (process ${at.pid}) has only ${all} threads in all`)
        return { 'compute threads': flag, 'threads in all': String(all) }
      }
    }
  }
}
