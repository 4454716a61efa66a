import { sharedWorkEntry } from './shared-work.js'

/** In which the calls of one arrival are sent; an answer of the twin takes longer. */
const AT_ONCE_MS = 300

export const singleFlight = sharedWorkEntry({
  id: 'single-flight-asks-once',
  policy: 'single-flight',
  verdict: 'follow',
  statement: 'Identical calls at one moment are one call to llama-server, and all of them get its answer as it comes',
  idleStatement: 'Where all calls at one moment differ, single-flight changes nothing',
  explanation: 'llama-server knows nothing of calls that ask the same: fifty at once are fifty prefills and fifty generations in as many turns as there are slots, and the last ' +
    'client waits for all of them. With one call in flight for all, each client reads the same stream, and the server does the work of one.',
  isShared: ({ atMs, cls, promptSeed }, earlier) => earlier.some(entry => entry.promptSeed === promptSeed && entry.cls === cls && atMs - entry.atMs < AT_ONCE_MS),
  chance: 0,
  ttftRatio: 0.5
})
