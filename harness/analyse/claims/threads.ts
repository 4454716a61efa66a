import { throttlingCure } from './throttling-cure.js'

/** Mitigation `threads`: no more compute threads than the quota allows to run all the time. */
export const threads = throttlingCure({
  id: 'threads-fit-the-quota',
  statement: 'As many compute threads as the quota pays for are never stopped by it: the tail of the gaps goes, the rate stays or grows',
  explanation: 'llama-server starts as many compute threads as the machine has cores; a quota it does not see. Together they use the quota up before the period ends, ' +
    'partly by spinning for each other, and then all stand still. As many threads as the quota pays for never use it up: the same CPU time, spread over the whole period.',
  isSteady: true,
  mechanism: []
})
