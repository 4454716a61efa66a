import { cpusUsed } from '../contention.js'
import { contentionCure, notFaster } from './contention-cure.js'
import { PROC } from './sources.js'
import { ratioCheck } from './streams-checks.js'

/** One thread and hogs on one CPU, 100 against 100: a half. 10,000 against 100: 99 of 100. */
export const cpuWeight = contentionCure({
  id: 'cpu-weight-keeps-the-cpu',
  name: 'a group weight of 10,000',
  statement: 'A higher cpu.weight gives llama-server’s group its CPU back from hogs in the group beside it',
  explanation: 'The kernel divides a CPU between groups by their weights, whatever number of programs is in them. At 100 against 100 llama-server gets half of it beside hogs, at 10,000 against 100 all but one hundredth; where nobody else wants the CPU a weight has nothing to divide.',
  cure: () => [1.6, 2.4],
  queue: { before: () => [0.4, 1], after: [0, 0.1] },
  mechanism: [ratioCheck(cpusUsed, { id: 'cpus-ratio', metric: 'cpus-used', what: 'CPU time ÷ wall time of llama-server, with ÷ without: 100/101 ÷ 1/2', source: PROC, band: () => [1.6, 2.3], quiet: null })],
  others: { before: [0.35, 1.1], after: [0, 0.5] },
  control: notFaster,
  readBack: ['cpu.weight', /^10000$/]
})
