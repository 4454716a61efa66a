import type { KnobKind } from './contract.js'
import { assertFlag } from './server-process.js'
import { wholeIn } from './values.js'

const name = 'cache-ram'

/** `-cram`: llama-server's own default is 8192, Weir's is 0. */
export const cacheRam: KnobKind = {
  name,
  value: 'MIB',
  describe: 'memory in which llama-server keeps prompts that lost their slot (--cache-ram), MiB, 0 to 65536; without it 0',
  parse (value) {
    const mib = wholeIn(name, value, 0, 65_536)
    const spec = `${name}=${value}`
    return {
      spec,
      name,
      title: `${mib.toLocaleString('en-US')} MiB of prompts kept beside the slots`,
      controllers: [],
      launch: server => ({ ...server, cacheRamMib: mib }),
      async readBack (at) {
        return { 'prompt cache MiB': assertFlag(spec, at.pid, '--cache-ram', String(mib)) }
      }
    }
  }
}
