import { factorEntry, noLegs } from './factor-claim.js'
import { around, calibrated, cellOf, cpuMsPerCall, decodeCallsPerToken, dosesOf, gap, latency, quotient, ratioCell, ttft } from './factor-figures.js'
import { LOAD, PROC } from './sources.js'

/**
 * Times are judged as ratios to the baseline of the same run, whose blocks stand between the others, so that a machine that changes its speed after the calibration does not move
 * them. Keys and values of more tokens are read the further an answer goes on: its later gaps are a little longer (context-length measures by how much).
 */
const LONGER = [0.75, 1.35] as const

/** An answer takes the time to its first token, and then one pass through the model for each further token. */
export const outputLength = factorEntry('output-length', [{
  id: 'output-length',
  statement: 'The time of an answer grows in proportion to its tokens: one call of the decoder for each, at the same gap, after a first token that does not wait longer',
  explanation: 'A token depends on the one before it, so the tokens of an answer are computed one after the other, each with a pass through all weights; those of a prompt are known before and are computed many at once. ' +
    'So as many tokens in the prompt instead cost what the calibration says of a prompt, and the time to the first token knows nothing of what follows.',
  rivals: true,
  legs: (draft, manifest) => {
    const doses = dosesOf(draft, 'tokens out')
    const [base, longest] = [doses.find(({ dose }) => dose === draft.workload.predictTokens), doses.at(-1)]
    const instead = draft.conditions.find(({ workload }) => workload?.promptWords !== undefined)
    if (base === undefined || longest === undefined || instead === undefined) return noLegs
    const server = calibrated(draft, manifest)
    const ms = (tokens: number): number | undefined => server === undefined ? undefined : server.ttftMs + (tokens - 1) * server.gapMs
    const msRatio = (tokens: number): number | undefined => quotient(ms(tokens), ms(base.dose))
    const others = doses.filter(({ id }) => id !== base.id)
    const insteadMs = server?.prompt === undefined ? undefined : server.prompt.ms * (instead.workload?.promptWords ?? 0) / draft.workload.promptWords + (base.dose - 1) * server.gapMs
    return {
      application: [{ id: 'latency', metric: 'request-latency', what: `time of an answer ÷ that of ${base.id}: as TTFT + (tokens − 1) × gap of the calibration`, source: LOAD, cells: others.map(({ id, dose }) => ratioCell(base.id, id, latency, around(msRatio(dose), LONGER))) }],
      os: [{ id: 'cpu-per-call', metric: 'server-cpu-per-call', what: `CPU time of llama-server for a call ÷ that of ${base.id}: as the time of the answer`, source: PROC, cells: others.map(({ id, dose }) => ratioCell(base.id, id, cpuMsPerCall, around(msRatio(dose), LONGER))) }],
      mechanism: [
        { id: 'decodes-per-token', metric: 'decode-calls', what: 'calls of the decoder ÷ tokens out: one for each, at every length', source: 'llama-server (/metrics n_decode_total)', cells: doses.map(({ id }) => cellOf(id, decodeCallsPerToken, [0.95, 1.1])) },
        { id: 'gap', metric: 'itl', what: 'median gap: the same at every length but for the context that grows', source: LOAD, cells: others.map(({ id }) => ratioCell(base.id, id, gap, [0.8, 1.35])) }
      ],
      control: [
        { id: 'ttft', metric: 'ttft', what: 'TTFT: nothing of the length is waited for before the first token', source: LOAD, cells: others.map(({ id }) => ratioCell(base.id, id, ttft, [0.75, 1.3])) },
        { id: 'instead', metric: 'request-latency', what: `time of an answer with as many tokens in all as ${longest.id}, but most of them in the prompt, ÷ ${longest.id}: what the calibration says of a prompt`, source: LOAD, cells: [ratioCell(longest.id, instead.id, latency, around(quotient(insteadMs, ms(longest.dose)), [0.7, 1.3]))] }
      ]
    }
  }
}])
