import type { Manifest, StreamsPlan } from '../../types.js'
import { contentionCure, workCheck } from './contention-cure.js'
import { unbounded } from './leg.js'

/** Two CPUs, one of them free: one thread instead of two. */
export const threadsFreeCores = contentionCure({
  id: 'threads-as-many-as-free-cores',
  name: 'as many threads as free cores',
  statement: 'With a hog on one of its two cores, llama-server decodes faster with one thread than with two',
  explanation: 'Of two threads that meet at barriers, the one beside the hog is on its CPU half of the time; the other spins until it comes. Where sessions share out the CPUs it is worse: a hog weighs as much as both threads together, so they are put on one CPU, and each spins away its slices while the other waits for it. A single thread is put on the free core and waits for nobody. Where both cores are free a second thread does what it is for.',
  cure: (_draft, manifest) => crowded(manifest) ? [10, unbounded] : [1.5, 5],
  queue: { before: (_draft, manifest) => crowded(manifest) ? [0.4, 1] : [0.15, 0.4], after: [0, 0.1] },
  mechanism: [workCheck('nothing is spun away any more', [0, 0.6])],
  others: { before: [0.35, 1.2], after: [0.8, 1.3] },
  control: { id: 'alone', metric: 'tokens-per-second', what: 'tokens/s without a hog, one thread ÷ two: fewer threads are not faster by themselves', source: 'calibration (plan.json)', value: (_views, plan) => oneToTwoAlone(plan), band: () => [0, 1.1], quiet: null },
  readBack: ['compute threads', /^-t 1$/]
})

/**
 * A session has the weight of one thread (sched(7), autogroup): with the hog on one CPU and both threads on the other the kernel sees two CPUs equally loaded, and
 * leaves the threads where they take turns. Seen: 1 token/s instead of 300.
 */
function crowded ({ autogroup }: Manifest): boolean {
  return autogroup === true
}

function oneToTwoAlone ({ calibration }: StreamsPlan): number | null {
  const speed = (threads: number): number | undefined => calibration.servers.find(server => server.threads === threads)?.tokensPerSecond
  const [one, two] = [speed(1), speed(2)]
  return one === undefined || two === undefined ? null : one / two
}
