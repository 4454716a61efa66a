import type { Leg, Manifest, Plan } from '../../types.js'
import { isOpenLoop } from '../plan-kind.js'
import { bandLeg, missingLeg, predictionOf, unbounded } from './leg.js'
import { cpuPerToken } from '../contention.js'
import { ratioLeg } from './contention-legs.js'
import { mitigationClaim } from './contention-cure.js'

const PROC = '/proc/PID/stat of llama-server'

/** Two CPUs, one of them free: one thread instead of two. */
export const threadsFreeCores = mitigationClaim({
  id: 'threads-as-many-as-free-cores',
  name: 'as many threads as free cores',
  statement: 'With a hog on one of its two cores, llama-server decodes faster with one thread than with two',
  explanation: 'Of two threads that meet at barriers, the one beside the hog is on its CPU half of the time; the other spins until it comes. Where sessions share out the CPUs it is worse: a hog weighs as much as both threads together, so they are put on one CPU, and each spins away its slices while the other waits for it. A single thread is put on the free core and waits for nobody. Where both cores are free a second thread does what it is for.',
  cure: manifest => crowded(manifest) ? { metric: 'tokens-per-second', lo: 10, hi: unbounded } : { metric: 'tokens-per-second', lo: 1.5, hi: 5 },
  queue: manifest => ({ before: crowded(manifest) ? [0.4, 1] : [0.15, 0.4], after: [0, 0.1] }),
  mechanism: () => [{ id: 'work-ratio', metric: 'server-cpu-per-token', statement: 'CPU time per token, with ÷ without: nothing is spun away any more', lo: 0, hi: 0.6 }],
  mechanismLeg: (plan, views) => ratioLeg(plan, views, 'CPU time per token, with ÷ without', PROC, ['before', 'after'], cpuPerToken, 'work-ratio'),
  others: { before: [0.35, 1.2], after: [0.8, 1.3] },
  control: () => [{ id: 'alone', metric: 'tokens-per-second', statement: 'one thread ÷ two in the calibration, without the hog: fewer threads are not faster by themselves', lo: 0, hi: 1.1 }],
  controlLeg: aloneLeg,
  readBack: ['compute threads', /^-t 1$/]
})

/**
 * A session has the weight of one thread (sched(7), autogroup): with the hog on one CPU and both threads on the other the kernel sees two CPUs equally loaded, and
 * leaves the threads where they take turns. Seen: 1 token/s instead of 300.
 */
function crowded ({ autogroup }: Manifest): boolean {
  return autogroup === true
}

function aloneLeg (plan: Plan): Leg {
  const what = 'tokens/s without a hog, one thread ÷ two'
  const source = 'calibration (plan.json)'
  if (isOpenLoop(plan)) return missingLeg(what, source, 'the plan has no streams')
  const speed = (threads: number): number | undefined => plan.calibration.servers.find(server => server.threads === threads)?.tokensPerSecond
  const [one, two] = [speed(1), speed(2)]
  return bandLeg(what, source, one === undefined || two === undefined ? null : one / two, predictionOf(plan, 'alone'))
}
