import type { Manifest } from '../../types.js'
import { middleOfPairs, ratioOf } from '../contention.js'
import { tokensPerDecode, type StreamsView } from '../streams-summary.js'
import type { Band } from './checks.js'
import { factorEntry, noLegs } from './factor-claim.js'
import { around, calibrated, cellOf, cpuMsPerToken, gap, ratioCell } from './factor-figures.js'
import { LOAD, PROC } from './sources.js'

/** Between what a byte costs in different shapes and with different kernels of ggml. */
const BY_BYTES = [0.7, 1.45] as const

/** Quantisation at one shape, or shapes at one quantisation: both change the bytes of the weights. */
export const modelBytes = factorEntry('model-bytes', [{
  id: 'model-bytes',
  statement: 'The time of a token is in proportion to the bytes of the weights, and what a further client adds to a call of the decoder tells whether it is their way from memory or the arithmetic on them',
  explanation: 'Each token passes through all weights once. If their way from memory were what it waits for, a call that decodes for several clients would bring them in once and take hardly longer; where the arithmetic is what it waits for, each client adds its own. ' +
    'The calibration knows which to expect: a prompt is computed many tokens at once, so the time of one of its tokens is arithmetic alone. From two fifths of the time of a single token on it says arithmetic, below that memory. ' +
    'Fewer bytes make either faster, as kernels for coarser weights do more of them in one instruction.',
  rivals: true,
  legs: (draft, manifest) => {
    const [alone, together] = [1, 4].map(clients => draft.conditions.filter(({ factors }) => factors['clients'] === clients))
    const base = alone?.find(({ baseline }) => baseline === undefined)
    if (alone === undefined || together === undefined || base === undefined) return noLegs
    const others = alone.filter(({ id }) => id !== base.id)
    const bytes = (model: string | undefined): number => bytesOf(manifest, model)
    const ratio = (model: string | undefined): number | undefined => manifest === undefined ? undefined : bytes(model) / bytes(base.model)
    return {
      application: [{ id: 'gap', metric: 'itl', what: 'median gap ÷ that of the baseline: as the bytes of the weights', source: LOAD, cells: others.map(({ id, model }) => ratioCell(base.id, id, gap, around(ratio(model), BY_BYTES))) }],
      os: [{ id: 'cpu-per-token', metric: 'server-cpu-per-token', what: 'CPU time of a token ÷ that of the baseline', source: PROC, cells: others.map(({ id, model }) => ratioCell(base.id, id, cpuMsPerToken, around(ratio(model), BY_BYTES))) }],
      mechanism: [{
        id: 'added',
        metric: 'itl',
        what: 'what each further client adds to a call of the decoder ÷ what one costs (0: all is memory, 1: all is arithmetic): from time of a token of a prompt ÷ gap, both of the calibration, to 1 where that says arithmetic, to 2.5 times that where it says memory',
        source: LOAD,
        cells: alone.flatMap(one => {
          const four = together.find(({ model }) => model === one.model)
          const server = calibrated(draft, manifest, one)
          return four === undefined ? [] : [{ id: four.id, value: (views: readonly StreamsView[]) => addedShare(views, one.id, four.id), band: addedBand(server?.prompt === undefined ? undefined : server.prompt.ms / server.prompt.tokens / server.gapMs), atPace: true }]
        })
      }],
      control: [{ id: 'tokens-per-decode', metric: 'tokens-per-decode', what: 'tokens for each call of the decoder: one of each client', source: 'llama-server (/metrics)', cells: [...alone, ...together].map(({ id, factors }) => cellOf(id, ({ block }) => tokensPerDecode(block), [0.8 * Number(factors['clients']), 1.02 * Number(factors['clients'])])) }]
    }
  }
}])

/** From here on most of a token's time is arithmetic, and what a handful of clients can share is less than what a prompt can: up to nothing. */
const ARITHMETIC = 0.4

/** @param share time of a token of a prompt ÷ that of a token alone */
function addedBand (share: number | undefined): Band | undefined {
  return share === undefined ? undefined : share >= ARITHMETIC ? [0.8 * share, 1.15] : [0.5 * share, 2.5 * share]
}

function addedShare (views: readonly StreamsView[], one: string, four: string): number | null {
  const times = middleOfPairs(views, one, four, ratioOf(gap))
  return times === null ? null : (times - 1) / 3
}

function bytesOf (manifest: Manifest | undefined, model: string | undefined): number {
  return [manifest?.model, ...manifest?.otherModels ?? []].find(file => file?.name === (model ?? manifest?.model.name))?.bytes ?? NaN
}
