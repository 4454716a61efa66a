import type { KnobKind } from './contract.js'
import { commandLine } from './server-process.js'
import { noValue } from './values.js'

const name = 'no-self-warmup'
const FLAG = '--no-warmup'

/** Without it llama-server computes one empty batch before it is healthy, and so touches all weights and buffers. */
export const noSelfWarmup: KnobKind = {
  name,
  value: '',
  describe: 'llama-server starts without its own empty run (--no-warmup): what a first request touches, nobody touched before',
  parse (value) {
    noValue(name, value)
    return {
      spec: name,
      name,
      title: 'llama-server does not warm itself up',
      controllers: [],
      launch: server => ({ ...server, extraArgs: [...(server.extraArgs ?? []).filter(arg => arg !== FLAG), FLAG] }),
      async readBack (at) {
        if (!commandLine(at.pid).includes(FLAG)) throw new Error(`${name}: llama-server (process ${at.pid}) runs without ${FLAG}`)
        return { 'own warm-up of llama-server': FLAG }
      }
    }
  }
}
