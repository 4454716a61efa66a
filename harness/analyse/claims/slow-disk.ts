import { differenceOf, middleOf, middleOfPairs, type Figure } from '../contention.js'
import type { StreamsView } from '../streams-summary.js'
import { rateOf } from './disk-rate.js'
import { factorEntry, noLegs } from './factor-claim.js'
import { around, cellOf, differenceCell, ratioCell, startToFirstToken, ttftInGaps, untilLoad } from './factor-figures.js'
import { growth } from './memory-figures.js'
import { inMebibytes, mebi } from './memory-mitigations.js'
import { LOAD } from './sources.js'

const STAMPS = 'launch and health of llama-server, and the load generator'
const readMib = inMebibytes(untilLoad(({ readBytes }) => readBytes))
/** All tasks of the group stood still for IO, since the group was made: milliseconds. */
const ioFullMs: Figure = ({ block: { evidence: { groupCountersAtStart } } }) => {
  const usec = groupCountersAtStart?.['io.pressure.full_usec']
  return usec === undefined ? null : usec / 1000
}

/** A limit on the disk of the model: what a start loses to it, and that a warm file loses nothing. */
export const slowDisk = factorEntry('slow-disk', [{
  id: 'slow-disk',
  statement: 'A slow disk makes the first token after a start later by the bytes of the model ÷ the disk’s rate, and costs nothing when the file is in the page cache',
  explanation: 'llama-server has its mapped model brought in while it loads. With io.max the kernel lets the group read no more than so many bytes a second, so that the start takes the size of the file ÷ the rate, and the group stands still for IO in the meantime (io pressure “full”). ' +
    'Pages in the page cache are not read, so no limit is met.',
  rivals: false,
  legs: (draft, manifest) => {
    const limited = draft.conditions.flatMap(condition => {
      const rate = rateOf(condition)
      return rate === undefined ? [] : [{ ...condition, rate }]
    })
    const cold = limited.filter(({ knobs }) => knobs.includes('page-cache=cold'))
    const cured = limited.find(({ knobs }) => knobs.includes('page-cache=warm'))
    const unlimited = (knob: string) => draft.conditions.find(condition => condition.knobs.includes(knob) && rateOf(condition) === undefined)
    const [base, warm] = [unlimited('page-cache=cold'), unlimited('page-cache=warm')]
    const twin = cold.find(({ rate }) => rate === cured?.rate)
    if (base === undefined || warm === undefined || cured === undefined || twin === undefined) return noLegs
    const readingMs = (rate: number): number | undefined => manifest === undefined ? undefined : manifest.model.bytes / rate * 1000
    const mib = manifest === undefined ? undefined : manifest.model.bytes / mebi
    return {
      application: [{ id: 'later', metric: 'start-to-first-token', what: 'start to first token, ms later than without a limit: bytes of the model ÷ rate, less where it computes while it reads', source: STAMPS, cells: cold.map(({ id, rate }) => ({ ...differenceCell(base.id, id, startToFirstToken, around(readingMs(rate), [0.7, 1.25])), id })) }],
      os: [{ id: 'read', metric: 'read-bytes', what: 'MiB that the process read from storage until the load: the model', source: '/proc/PID/io of llama-server', cells: [base, ...cold].map(({ id }) => cellOf(id, readMib, around(mib, [0.9, 1.2]))) }],
      mechanism: [
        { id: 'io-full', metric: 'io.pressure', what: 'time until the load in which all of the group stood still for IO, ms: bytes of the model ÷ rate', source: 'io.pressure full of the group', cells: cold.map(({ id, rate }) => cellOf(id, ioFullMs, around(readingMs(rate), [0.6, 1.3]))) },
        { id: 'rate', metric: 'read-bytes', what: 'MiB read ÷ time lost, ÷ the limit: the disk gives what it may', source: '/proc/PID/io and the stamps of the start', cells: cold.map(({ id, rate }) => ({ id, value: (views: readonly StreamsView[]) => rateShare(views, base.id, id, rate), band: [0.75, 1.45] })) }
      ],
      control: [
        { id: 'cured', metric: 'start-to-first-token', what: 'what a limit costs a start with a warm file, share of what it costs one with a cold file', source: STAMPS, cells: [{ id: cured.id, value: (views: readonly StreamsView[]) => shareOf(laterMs(views, warm.id, cured.id), laterMs(views, base.id, twin.id)), band: [-0.25, 0.25] }] },
        { id: 'cured-io-full', metric: 'io.pressure', what: 'time until the load in which all of the group stood still for IO, ms, with a warm file: less than a twentieth of the reading', source: 'io.pressure full of the group', cells: [cellOf(cured.id, ioFullMs, around(readingMs(cured.rate), [0, 0.05]))] },
        { id: 'cured-read', metric: 'read-bytes', what: 'MiB that the process read until the load', source: '/proc/PID/io of llama-server', cells: [cellOf(cured.id, readMib, around(mib, [0, 0.05]))] },
        { id: 'ttft', metric: 'ttft', what: 'TTFT of the first call in median gaps between its tokens, ÷ that without a limit: what is lost is lost in loading', source: LOAD, cells: cold.map(({ id }) => ratioCell(base.id, id, ttftInGaps, [0.7, 1.4])) },
        { id: 'refaults', metric: 'refaulted-pages', what: 'pages refaulted during the load: nothing was evicted', source: 'memory.stat of the group', cells: cold.map(({ id }) => cellOf(id, growth('memory.stat.workingset_refault_file'), [0, 256])) }
      ]
    }
  }
}])

function laterMs (views: readonly StreamsView[], from: string, id: string): number | null {
  return middleOfPairs(views, from, id, differenceOf(startToFirstToken))
}

function shareOf (part: number | null, whole: number | null): number | null {
  return part === null || whole === null || whole <= 0 ? null : part / whole
}

function rateShare (views: readonly StreamsView[], from: string, id: string, rate: number): number | null {
  const [later, mib] = [laterMs(views, from, id), middleOf(views, id, readMib)]
  return later === null || mib === null || later <= 0 ? null : mib * mebi / later * 1000 / rate
}
