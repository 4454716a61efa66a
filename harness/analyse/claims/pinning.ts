import type { Leg, Plan } from '../../types.js'
import { cpuPerToken, cpusUsed, middleOf, migrationsPerSecond } from '../contention.js'
import type { StreamsView } from '../streams-summary.js'
import { COLD_CACHES, figureLeg, ratioLeg } from './contention-legs.js'
import { allOf } from './leg.js'
import { mitigationClaim } from './contention-cure.js'

const PROC = '/proc/PID/stat of llama-server'

/** llama-server on the CPU of load and hog, against a CPU of its own. Both arms are pinned: what differs is where. */
export const pinning = mitigationClaim({
  id: 'pinning-away-from-the-hog',
  name: 'pinning to a CPU of its own',
  statement: 'Pinned to a CPU of its own, llama-server decodes about twice as fast as on the CPU of the load and a hog',
  explanation: 'On the CPU of the hog llama-server’s thread gets every other slice, and on top of that gives way to load and sampler. On a CPU that nobody else uses it never waits. Being pinned is no gain by itself: both arms are pinned, only the one without a neighbour is fast; ' +
    'and against hogs that roam over all CPUs pinning is no cure, since they come along.',
  cure: () => ({ metric: 'tokens-per-second', lo: 1.6, hi: 3 }),
  queue: () => ({ before: [0.4, 1], after: [0, 0.1] }),
  mechanism: () => [
    { id: 'cpus-ratio', metric: 'cpus-used', statement: 'CPU time ÷ wall time of llama-server, with ÷ without: a whole CPU instead of half of one or less', lo: 1.6, hi: 3 },
    { id: 'migrations-before', metric: 'cpu-migrations', statement: 'moves of a thread to another CPU per second, where perf counts them: pinned to one CPU it has none', lo: 0, hi: 1 },
    { id: 'migrations-after', metric: 'cpu-migrations', statement: 'and none on the other', lo: 0, hi: 1 }
  ],
  mechanismLeg,
  others: { before: [0.3, 0.9], after: [0.8, 1.2] },
  control: () => [{ id: 'work-ratio', metric: 'server-cpu-per-token', statement: 'CPU time per token, with ÷ without: the machine did not get faster; beside a hog caches are cold, which costs up to 1.3 times', lo: 1 / COLD_CACHES, hi: 1.1 }],
  controlLeg: (plan, views) => ratioLeg(plan, views, 'CPU time per token, with ÷ without', PROC, ['before', 'after'], cpuPerToken, 'work-ratio'),
  readBack: ['llama-server CPUs', /^1$/]
})

/** Migrations are judged where perf ran in all blocks. */
function mechanismLeg (plan: Plan, views: readonly StreamsView[]): Leg {
  const cpus = ratioLeg(plan, views, 'CPUs used, with ÷ without', PROC, ['before', 'after'], cpusUsed, 'cpus-ratio')
  if (middleOf(views, 'before', migrationsPerSecond) === null || middleOf(views, 'after', migrationsPerSecond) === null) return cpus
  return allOf([
    cpus,
    figureLeg(plan, views, 'migrations per second, without', 'perf stat (cpu-migrations)', 'before', migrationsPerSecond, 'migrations-before'),
    figureLeg(plan, views, 'with', 'perf stat (cpu-migrations)', 'after', migrationsPerSecond, 'migrations-after')
  ])
}
