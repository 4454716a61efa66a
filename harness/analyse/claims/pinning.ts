import { cpusUsed, middleOf, migrationsPerSecond } from '../contention.js'
import type { StreamsView } from '../streams-summary.js'
import { contentionCure, notFaster } from './contention-cure.js'
import { PROC } from './sources.js'
import { figureCheck, ratioCheck, withIt, without, type StreamsCheck } from './streams-checks.js'

/** Where perf ran in all blocks. */
function migrationsCheck (condition: string, what: string): StreamsCheck {
  const isCounted = (views: readonly StreamsView[]): boolean => [without, withIt].every(each => middleOf(views, each, migrationsPerSecond) !== null)
  return figureCheck(condition, migrationsPerSecond, { id: `migrations-${condition}`, metric: 'cpu-migrations', what: `moves of a thread to another CPU per second, ${what}: pinned to one it has none`, source: 'perf stat (cpu-migrations)', band: () => [0, 1], quiet: null, isCounted })
}

/** llama-server on the CPU of load and hog, against a CPU of its own. Both arms are pinned: what differs is where. */
export const pinning = contentionCure({
  id: 'pinning-away-from-the-hog',
  name: 'pinning to a CPU of its own',
  statement: 'Pinned to a CPU of its own, llama-server decodes about twice as fast as on the CPU of the load and a hog',
  explanation: 'On the CPU of the hog llama-server’s thread gets every other slice, and on top of that gives way to load and sampler. On a CPU that nobody else uses it never waits. Being pinned is no gain by itself: both arms are pinned, only the one without a neighbour is fast; ' +
    'and against hogs that roam over all CPUs pinning is no cure, since they come along.',
  cure: () => [1.6, 3],
  queue: { before: () => [0.4, 1], after: [0, 0.1] },
  mechanism: [
    ratioCheck(cpusUsed, { id: 'cpus-ratio', metric: 'cpus-used', what: 'CPU time ÷ wall time of llama-server, with ÷ without: a whole CPU instead of half of one or less', source: PROC, band: () => [1.6, 3], quiet: null }),
    migrationsCheck(without, 'without'),
    migrationsCheck(withIt, 'with')
  ],
  others: { before: [0.3, 0.9], after: [0.8, 1.2] },
  control: notFaster,
  readBack: ['llama-server CPUs', /^1$/]
})
