import { cpusUsed, middleOfPairs, quotientOf, rate } from '../contention.js'
import { tokensPerDecode } from '../streams-summary.js'
import type { Band } from './checks.js'
import { factorEntry, noLegs } from './factor-claim.js'
import { calibrated, cellOf, cpuMsPerToken, dosesOf, gap, latency, quotient, ratioCell, ttft } from './factor-figures.js'
import { LOAD, PROC } from './sources.js'

/**
 * llama-server computes one token of every running answer in one call; what is gained by it follows from the calibration. Times are judged against those of one client in the same run: a
 * machine that changes its speed after the calibration moves both.
 */
export const concurrency = factorEntry('concurrency', [{
  id: 'concurrency',
  statement: 'Clients at the same time share each call of the decoder: tokens per second grow only by what a call has in common for all of them, and then every client’s gaps grow with the number of clients',
  explanation: 'llama-server decodes one token of every running answer in the same call. Weights are read once for all of them, but the arithmetic is that of each: a further client adds about what a token of a prompt costs, which is the same arithmetic in a larger batch. ' +
    'Where one client keeps the compute threads busy already, there are no idle CPUs for a second one to use. With one slot nothing is shared: the gaps stay those of one client, and the clients wait for the slot instead, before their first token.',
  rivals: true,
  legs: (draft, manifest) => {
    const doses = dosesOf(draft, 'clients')
    const [one, most] = [doses.find(({ dose }) => dose === 1), doses.at(-1)]
    const oneSlot = draft.conditions.find(({ workload }) => workload?.slots === 1)
    if (one === undefined || most === undefined || oneSlot === undefined) return noLegs
    const server = calibrated(draft, manifest)
    const added = server?.prompt === undefined ? undefined : Math.min(server.gapMs, server.prompt.ms / server.prompt.tokens)
    const callMs = (clients: number): number | undefined => server === undefined || added === undefined ? undefined : server.gapMs + (clients - 1) * added
    /** Of one client's rate. */
    const gain = (clients: number): number | undefined => {
      const ms = callMs(clients)
      return ms === undefined || server === undefined ? undefined : clients * server.gapMs / ms
    }
    const others = doses.filter(({ dose }) => dose > 1)
    const waiting = (oneSlot.workload?.clients ?? 1) - 1
    return {
      application: [
        { id: 'gap', metric: 'itl', what: 'median gap ÷ that of one client: at least what follows when each further one adds a token of a prompt (all that a call can share), at most as many times (nothing is shared)', source: LOAD, cells: others.map(({ id, dose }) => ratioCell(one.id, id, gap, between(quotient(callMs(dose), callMs(1)), dose))) },
        { id: 'rate', metric: 'tokens-per-second', what: 'tokens/s of all clients together ÷ those of one: what is shared, and no more', source: LOAD, cells: others.map(({ id, dose }) => ratioCell(one.id, id, rate, between(1, gain(dose)))) }
      ],
      os: [
        { id: 'cpus-used', metric: 'cpus-used', what: 'CPUs that llama-server uses: all that its threads can, with one client already', source: PROC, cells: doses.map(({ id }) => cellOf(id, cpusUsed, [0.85 * (draft.calibration.servers[0]?.threads ?? 1), 1.15 * (draft.calibration.servers[0]?.threads ?? 1)])) },
        { id: 'cpu-per-token', metric: 'server-cpu-per-token', what: 'CPU time of a token ÷ that with one client: less by what is shared', source: PROC, cells: others.map(({ id, dose }) => ratioCell(one.id, id, cpuMsPerToken, between(reciprocal(gain(dose)), 1))) }
      ],
      mechanism: [{ id: 'tokens-per-decode', metric: 'tokens-per-decode', what: 'tokens for each call of the decoder: one of each client', source: 'llama-server (/metrics)', cells: doses.map(({ id, dose }) => cellOf(id, ({ block }) => tokensPerDecode(block), [0.8 * dose, 1.02 * dose])) }],
      control: [
        { id: 'one-slot-shares', metric: 'tokens-per-decode', what: 'as many clients, one slot: tokens for each call of the decoder', source: 'llama-server (/metrics)', cells: [cellOf(oneSlot.id, ({ block }) => tokensPerDecode(block), [0.9, 1.02])] },
        { id: 'one-slot-gap', metric: 'itl', what: 'median gap: as with one client, so that it is the shared call that lengthens it', source: LOAD, cells: [ratioCell(one.id, oneSlot.id, gap, [0.8, 1.25])] },
        { id: 'one-slot-ttft', metric: 'ttft', what: `TTFT ÷ time of an answer with one client: ${waiting} answers of others`, source: LOAD, cells: [{ id: oneSlot.id, value: views => middleOfPairs(views, one.id, oneSlot.id, quotientOf(ttft, latency)), band: [0.7 * waiting, 1.35 * waiting], atPace: true }] }
      ]
    }
  }
}])

/** With a fifth to spare at both ends, for the noise of blocks. */
function between (lo: number | undefined, hi: number | undefined): Band | undefined {
  return lo === undefined || hi === undefined ? undefined : [lo / 1.2, hi * 1.2]
}

function reciprocal (value: number | undefined): number | undefined {
  return value === undefined ? undefined : 1 / value
}
