import type { Knob, KnobKind } from './contract.js'
import { evict, readThrough, residencyOf, residencyText } from './residency.js'
import { warmInGroup } from './warm-in-group.js'
import { badValue } from './values.js'

const name = 'page-cache'

/** Whether the model file is in the page cache when llama-server starts. Measured just before the start: loading changes it. */
export const pageCache: KnobKind = {
  name,
  value: 'cold|warm',
  describe: 'the model file is out of the page cache (cold) or in it (warm) when llama-server starts, proven by fincore',
  parse (value) {
    if (value === 'cold') return cold()
    if (value === 'warm') return warm()
    throw badValue(name, value, 'allowed are cold and warm')
  }
}

function cold (): Knob {
  let before: string | undefined
  return {
    spec: `${name}=cold`,
    name,
    title: 'model file not in the page cache at the start',
    controllers: [],
    async before (at) {
      before = residencyText(await evict(at.server.model.path, at.signal))
      return async () => {}
    },
    async readBack (at) {
      return { 'model file in the page cache before the start': said(before), 'and now': residencyText(await residencyOf(at.server.model.path, at.signal)) }
    }
  }
}

function warm (): Knob {
  let before: string | undefined
  return {
    spec: `${name}=warm`,
    name,
    title: 'model file in the page cache at the start',
    controllers: [],
    async before ({ server, group, signal }) {
      before = group === undefined ? residencyText(await readThrough(server.model.path, [], signal)) : await warmInGroup(`${name}=warm`, server.model.path, group, signal)
      return async () => {}
    },
    async readBack () {
      return { 'model file in the page cache before the start': said(before) }
    }
  }
}

function said (before: string | undefined): string {
  if (before === undefined) throw new Error(`${name}: the page cache was not looked at before the start`)
  return before
}
