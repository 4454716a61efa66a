import { realpathSync } from 'node:fs'
import { readText } from '../probes/read-text.js'
import type { KnobKind } from './contract.js'
import { withLoading } from './loading.js'
import { memoryOf } from './server-process.js'
import { noValue, shown } from './values.js'
import { MOST_OF_THE_WEIGHTS, weightBytes } from './weights.js'

const name = 'no-mmap'

/** The model in anonymous memory, which a memory limit cannot drop and read again. */
export const noMmap: KnobKind = {
  name,
  value: '',
  describe: 'the model is read into anonymous memory instead of being mapped: a tight memory limit then kills instead of slowing down',
  parse (value) {
    noValue(name, value)
    return {
      spec: name,
      name,
      title: 'model not mapped (no-mmap)',
      controllers: [],
      launch: server => withLoading(server, { map: false }),
      async readBack (at) {
        const { path } = at.server.model
        if ((readText(`/proc/${at.pid}/maps`) ?? '').includes(` ${realpathSync(path)}\n`)) throw new Error(`${name}: llama-server (process ${at.pid}) has mapped ${path} all the same`)
        const [anonymous, weights] = [memoryOf(at.pid, 'RssAnon'), await weightBytes(at.server.model)]
        if (anonymous < weights * MOST_OF_THE_WEIGHTS) throw new Error(`${name}: llama-server (process ${at.pid}) has ${shown(anonymous)} of anonymous memory, less than the model's ${shown(weights)} of weights`)
        return { 'anonymous memory (RssAnon)': shown(anonymous), 'model mapped': 'no' }
      }
    }
  }
}
