import type { KnobKind } from './contract.js'
import { commandLine, memoryOf } from './server-process.js'
import { noValue, shown } from './values.js'

const name = 'no-repack'
const FLAG = '--no-repack'

/** Weights stay as they are in the file. Which quantisations are repacked depends on the CPU: without effect where none is. */
export const noRepack: KnobKind = {
  name,
  value: '',
  describe: 'llama-server makes no second copy of the weights in a layout for this CPU (--no-repack): they stay page cache',
  parse (value) {
    noValue(name, value)
    return {
      spec: name,
      name,
      title: 'weights not repacked',
      controllers: [],
      calibrated: true,
      launch: server => ({ ...server, extraArgs: [...(server.extraArgs ?? []).filter(arg => arg !== FLAG), FLAG] }),
      async readBack (at) {
        if (!commandLine(at.pid).includes(FLAG)) throw new Error(`${name}: llama-server (process ${at.pid}) runs without ${FLAG}`)
        return { 'weights repacked': FLAG, 'anonymous memory (RssAnon)': shown(memoryOf(at.pid, 'RssAnon')) }
      }
    }
  }
}
