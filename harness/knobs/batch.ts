import type { KnobKind } from './contract.js'
import { assertFlag } from './server-process.js'
import { wholeIn } from './values.js'

const name = 'batch'

/** `-b`. Nothing that llama-server shows of itself at its usual verbosity tells the batch, so the command line is all there is to read back. */
export const batch: KnobKind = {
  name,
  value: 'TOKENS',
  describe: 'prompt tokens that llama-server computes in one step (-b), 1 to 65536: while it does, running streams stand still',
  parse (value) {
    const tokens = wholeIn(name, value, 1, 65_536)
    const spec = `${name}=${value}`
    return {
      spec,
      name,
      title: `batch of ${tokens.toLocaleString('en-US')} tokens`,
      controllers: [],
      launch: server => ({ ...server, batchTokens: tokens }),
      async readBack (at) {
        return { 'prompt tokens in a step': assertFlag(spec, at.pid, '-b', String(tokens)) }
      }
    }
  }
}
