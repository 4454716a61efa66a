import t from 'tap'
import { experimentFiles } from '../plan/experiment-file.js'
import { documentsOf } from './documents.js'

/** Entries that make more claims than one, or claims of another name. */
const claimsOf: Readonly<Record<string, readonly string[]>> = {
  'cold-warm': ['cold-file', 'cold-process', 'cold-prompt'],
  'memory-limit': ['memory-limit-cliff', 'memory-limit-kill'],
  'noisy-neighbour': ['noisy-neighbour-takes-its-share', 'noisy-neighbour-collapse']
}

t.test('every claim of an experiment names where its mechanism is written down', async t => {
  for (const { name, claim } of experimentFiles()) {
    for (const id of claim === undefined ? [] : claimsOf[claim] ?? [claim]) t.ok((documentsOf(id)?.length ?? 0) > 0, `${name}: ${id}`)
  }
  t.equal(documentsOf('no-such-claim'), undefined)
})
