import { cpuPerToken, cpusUsed } from '../contention.js'
import { COLD_CACHES, ratioLeg } from './contention-legs.js'
import { mitigationClaim } from './contention-cure.js'

const PROC = '/proc/PID/stat of llama-server'

/** One thread and hogs on one CPU, 100 against 100: a half. 10,000 against 100: 99 of 100. */
export const cpuWeight = mitigationClaim({
  id: 'cpu-weight-keeps-the-cpu',
  name: 'a group weight of 10,000',
  statement: 'A higher cpu.weight gives llama-server’s group its CPU back from hogs in the group beside it',
  explanation: 'The kernel divides a CPU between groups by their weights, whatever number of programs is in them. At 100 against 100 llama-server gets half of it beside hogs, at 10,000 against 100 all but one hundredth; where nobody else wants the CPU a weight has nothing to divide.',
  cure: () => ({ metric: 'tokens-per-second', lo: 1.6, hi: 2.4 }),
  queue: () => ({ before: [0.4, 1], after: [0, 0.1] }),
  mechanism: () => [{ id: 'cpus-ratio', metric: 'cpus-used', statement: 'CPU time ÷ wall time of llama-server, with ÷ without: 100/101 ÷ 1/2', lo: 1.6, hi: 2.3 }],
  mechanismLeg: (plan, views) => ratioLeg(plan, views, 'CPUs used, with ÷ without', PROC, ['before', 'after'], cpusUsed, 'cpus-ratio'),
  others: { before: [0.35, 1.1], after: [0, 0.5] },
  control: () => [{ id: 'work-ratio', metric: 'server-cpu-per-token', statement: 'CPU time per token, with ÷ without: the machine did not get faster; beside hogs caches are cold, which costs up to 1.3 times', lo: 1 / COLD_CACHES, hi: 1.1 }],
  controlLeg: (plan, views) => ratioLeg(plan, views, 'CPU time per token, with ÷ without', PROC, ['before', 'after'], cpuPerToken, 'work-ratio'),
  readBack: ['cpu.weight', /^10000$/]
})
