import type { KnobKind } from './contract.js'
import { withLoading } from './loading.js'
import { memoryOf } from './server-process.js'
import { noValue, shown } from './values.js'
import { MOST_OF_THE_WEIGHTS, weightBytes } from './weights.js'

const name = 'mlock'

/** The model locked in memory. llama-server only warns when it may not lock, so the kernel is asked (VmLck), not the flag. */
export const mlock: KnobKind = {
  name,
  value: '',
  describe: 'the model is locked in memory (mlock of llama-server); as an ordinary user it takes ulimit -l above the model\'s size',
  parse (value) {
    noValue(name, value)
    return {
      spec: name,
      name,
      title: 'model locked in memory (mlock)',
      controllers: [],
      launch: server => withLoading(server, { lock: true }),
      async readBack (at) {
        const [locked, weights] = [memoryOf(at.pid, 'VmLck'), await weightBytes(at.server.model)]
        if (locked < weights * MOST_OF_THE_WEIGHTS) {
          throw new Error(`${name}: only ${shown(locked)} of the model's ${shown(weights)} of weights are locked (VmLck of process ${at.pid}). ` +
            'To mend: ulimit -l unlimited (as root, or by /etc/security/limits.conf), or add no-repack: repacked weights are not locked')
        }
        return { 'locked memory (VmLck)': shown(locked) }
      }
    }
  }
}
