import { sharedWorkEntry } from './shared-work.js'

export const responseCache = sharedWorkEntry({
  id: 'response-cache-saves-repeated-work',
  policy: 'response-cache',
  verdict: 'serve',
  statement: 'Prompts that were asked before are answered from memory: at once, and without a call to llama-server',
  idleStatement: 'Where no prompt is asked twice, a response cache changes nothing',
  explanation: 'llama-server remembers prompts (its prefix cache), not answers: whoever asks the same again waits for a place, and every token is computed once more. ' +
    'At temperature 0 the tokens are the same, so the first answer can be given again. What is saved is the share of calls that repeat an earlier one, no more: ' +
    'calls with a prompt of their own cost what they did.',
  isShared: ({ cls, promptSeed }, earlier) => earlier.some(entry => entry.promptSeed === promptSeed && entry.cls === cls),
  chance: 0.1,
  ttftRatio: 0.25,
  ttftMs: 50
})
