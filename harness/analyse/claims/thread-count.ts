import type { Condition } from '../../types.js'
import { cpusUsed, queueShare, rate, type Figure } from '../contention.js'
import { factorEntry, noLegs } from './factor-claim.js'
import { cellOf, cpuMsPerToken, perToken, ratioCell } from './factor-figures.js'
import { unbounded } from './leg.js'
import { LOAD, PROC } from './sources.js'

const SCHEDSTAT = '/proc/PID/task/*/schedstat'
/** Of all threads of llama-server, whether they gave the CPU away or were taken off it. */
const switchesPerToken: Figure = perToken(({ voluntarySwitches, involuntarySwitches }) => voluntarySwitches === undefined || involuntarySwitches === undefined ? undefined : voluntarySwitches + involuntarySwitches)

interface Cell { readonly id: string, readonly threads: number, readonly cpus: number }

function cellsIn (conditions: readonly Condition[]): Cell[] {
  return conditions.flatMap(({ id, threads, factors }) => threads !== undefined && typeof factors['CPUs'] === 'number' ? [{ id, threads, cpus: factors['CPUs'] }] : [])
}

/** More compute threads than CPUs: no CPU is gained, and each barrier waits for a thread that is not running. */
export const threadCount = factorEntry('thread-count', [{
  id: 'thread-count',
  statement: 'One compute thread more than CPUs costs at least two fifths of the rate, on one CPU as on two',
  explanation: 'ggml’s threads share the work of each operation and meet at a barrier after it, many times a token. With a CPU for each they spin there for a moment and go on together. With one thread more than CPUs one of them has to wait for a CPU while the others wait for it: ' +
    'either they spin on and are taken off their CPU, or, as the OpenMP runtime does when it knows that it has more threads than CPUs, they sleep and must be woken. Each barrier then costs switches, hundreds of them a token, and a CPU may even stand idle in between. ' +
    'It is not the number of threads as such: two cost little or gain on two CPUs, depending on what these share (two hyperthreads of one core gain nothing), and cost as much as three do on two where there is one.',
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
        { id: 'fewer', metric: 'tokens-per-second', what: 'tokens/s, more threads than CPUs ÷ as many', source: LOAD, cells: many.map(({ id, base }) => ratioCell(base, id, rate, [0, 0.6])) }
      ],
      os: [{ id: 'queue', metric: 'queue-share', what: 'share of its time that llama-server stands in run queues', source: SCHEDSTAT, cells: [...many.map(({ id }) => cellOf(id, queueShare, [0.15, 1])), cellOf(one.id, queueShare, [0, 0.2])] }],
      mechanism: [
        { id: 'switches', metric: 'context-switches', what: 'switches of its threads for a token ÷ those with as many threads as CPUs', source: '/proc/PID/task/*/status', cells: many.map(({ id, base }) => ratioCell(base, id, switchesPerToken, [10, unbounded])) },
        { id: 'work', metric: 'server-cpu-per-token', what: 'CPU time of a token ÷ that with as many threads as CPUs: spent at barriers, not on the token', source: PROC, cells: many.map(({ id, base }) => ratioCell(base, id, cpuMsPerToken, [1.5, unbounded])) }
      ],
      control: [
        { id: 'one-cpu', metric: 'tokens-per-second', what: 'tokens/s, more threads than CPUs ÷ as many, with fewer of both: a number of threads that is fast on more CPUs', source: LOAD, cells: few.map(({ id, base }) => ratioCell(base, id, rate, [0, 0.6])) },
        { id: 'cpus', metric: 'cpus-used', what: 'CPUs used, with as many threads as CPUs: nobody else was on them', source: PROC, cells: fits.map(({ id, cpus }) => cellOf(id, cpusUsed, [0.8 * cpus, 1.05 * cpus])) }
      ]
    }
  }
}])
