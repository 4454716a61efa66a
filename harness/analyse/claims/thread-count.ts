import type { Condition } from '../../types.js'
import { cpusUsed, queueShare, type Figure } from '../contention.js'
import { wholeRate } from '../streams-summary.js'
import { factorEntry, noLegs } from './factor-claim.js'
import { cellOf, cpuMsPerToken, LOAD, perToken, PROC, ratioCell } from './factor-figures.js'
import { unbounded } from './leg.js'

const SCHEDSTAT = '/proc/PID/task/*/schedstat'
const rate: Figure = ({ summary }) => wholeRate(summary)
/** Of all threads of llama-server, whether they gave the CPU away or were taken off it. */
const switchesPerToken: Figure = perToken(({ voluntarySwitches, involuntarySwitches }) => voluntarySwitches === undefined || involuntarySwitches === undefined ? undefined : voluntarySwitches + involuntarySwitches)

interface Cell { readonly id: string, readonly threads: number, readonly cpus: number }

function cellsIn (conditions: readonly Condition[]): Cell[] {
  return conditions.flatMap(({ id, threads, factors }) => threads !== undefined && typeof factors['CPUs'] === 'number' ? [{ id, threads, cpus: factors['CPUs'] }] : [])
}

/** More compute threads than CPUs: no CPU is gained, and each barrier waits for a thread that is not running. */
export const threadCount = factorEntry('thread-count', [{
  id: 'thread-count',
  statement: 'Decoding is fastest with as many compute threads as CPUs; one more than that slows it down more than twice, and does so on one CPU as on two',
  explanation: 'ggml’s threads share the work of each operation and meet at a barrier after it, many times a token. With a CPU for each they arrive together. With one thread more than CPUs one of them has to wait for a CPU while the others wait for it at the barrier, ' +
    'so that each barrier costs a switch or more: the CPUs are as busy as before, but with switching and waiting. It is not the number of threads: two are faster than one on two CPUs, and slower on one.',
  rivals: true,
  legs: ({ conditions }) => {
    const cells = cellsIn(conditions)
    const fits = cells.filter(({ threads, cpus }) => threads === cpus)
    const over = cells.filter(({ threads, cpus }) => threads > cpus).flatMap(cell => {
      const base = fits.find(({ cpus }) => cpus === cell.cpus)
      return base === undefined ? [] : [{ ...cell, base: base.id }]
    })
    const most = Math.max(...fits.map(({ cpus }) => cpus))
    const [full, one] = [fits.find(({ cpus }) => cpus === most), cells.find(({ threads, cpus }) => threads === 1 && cpus === most)]
    const many = over.filter(({ cpus }) => cpus === most)
    const few = over.filter(({ cpus }) => cpus < most)
    if (full === undefined || one === undefined || many.length === 0 || few.length === 0) return noLegs
    return {
      application: [
        { id: 'fewer', metric: 'tokens-per-second', what: 'tokens/s, more threads than CPUs ÷ as many', source: LOAD, cells: many.map(({ id, base }) => ratioCell(base, id, rate, [0, 0.5])) },
        { id: 'gain', metric: 'tokens-per-second', what: `tokens/s, ${full.threads} threads on as many CPUs ÷ one: no more than as many times`, source: LOAD, cells: [ratioCell(one.id, full.id, rate, [1, 1.1 * full.threads])] }
      ],
      os: [{ id: 'queue', metric: 'queue-share', what: 'share of its time that llama-server stands in run queues', source: SCHEDSTAT, cells: [cellOf(full.id, queueShare, [0, 0.15]), ...many.map(({ id }) => cellOf(id, queueShare, [0.1, 1]))] }],
      mechanism: [
        { id: 'switches', metric: 'context-switches', what: 'switches of its threads for a token ÷ those with as many threads as CPUs', source: '/proc/PID/task/*/status', cells: many.map(({ id, base }) => ratioCell(base, id, switchesPerToken, [5, unbounded])) },
        { id: 'work', metric: 'server-cpu-per-token', what: 'CPU time of a token ÷ that with as many threads as CPUs: spent at barriers, not on the token', source: PROC, cells: many.map(({ id, base }) => ratioCell(base, id, cpuMsPerToken, [1.5, unbounded])) }
      ],
      control: [
        { id: 'one-cpu', metric: 'tokens-per-second', what: 'tokens/s, more threads than CPUs ÷ as many, with fewer of both: a number of threads that is fast on more CPUs', source: LOAD, cells: few.map(({ id, base }) => ratioCell(base, id, rate, [0, 0.8])) },
        { id: 'cpus', metric: 'cpus-used', what: 'CPUs used, more threads than CPUs ÷ as many: none was gained or lost', source: PROC, cells: many.map(({ id, base }) => ratioCell(base, id, cpusUsed, [0.6, 1.1])) }
      ]
    }
  }
}])
