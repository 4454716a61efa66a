import type { CalibratedServer, Manifest } from '../../types.js'
import { differenceOf, middleOfPairs, quotientOf, type Figure } from '../contention.js'
import type { Band } from './checks.js'
import { diskRate } from './disk-rate.js'
import { factorEntry, type FactorCell, type FactorClaim } from './factor-claim.js'
import { around, cachedShare, calibrated, cellOf, computingShare, cpuMsPerCall, differenceCell, gap, promptMsInGaps, ratioCell, startMs, startToFirstToken, ttft, untilLoad } from './factor-figures.js'
import { unbounded } from './leg.js'
import { grownBy } from './memory-figures.js'
import { inMebibytes, mebi } from './memory-mitigations.js'
import { LOAD, PROC, TIMINGS } from './sources.js'

/** Cells of bench/experiments/cold-warm.json: each is less cold than the one before it by one thing. */
const [FILE, PROCESS, PROMPT, WARM] = ['file-cold', 'process-cold', 'prompt-cold', 'warm'] as const
const IO = '/proc/PID/io of llama-server'
const STAMPS = 'launch and health of llama-server, and the load generator'

const readMibUntilLoad = inMebibytes(untilLoad(({ readBytes }) => readBytes))
const readMibInLoad = inMebibytes(grownBy(({ process }) => process?.readBytes))
const mappedMib = inMebibytes(untilLoad(({ rssFileBytes }) => rssFileBytes))
const cpuMsUntilLoad: Figure = view => {
  const usec = untilLoad(({ cpuUsec }) => cpuUsec)(view)
  return usec === null ? null : usec / 1000
}

function modelMib (manifest: Manifest | undefined, band: Band): Band | undefined {
  return around(manifest === undefined ? undefined : manifest.model.bytes / mebi, band)
}

/** A prompt that is as soon evaluated as asked for saves nothing worth a claim. */
const MOST_OF_A_COLD_ONE = 0.5

/** HTTP, tokenisation, a slot and the way of the first token are paid for by every call; an upper end for the TTFT of a held prompt ÷ that of one that is computed. */
function warmShare (server: CalibratedServer | undefined): Band | undefined {
  if (server?.prompt === undefined) return undefined
  const warmMs = server.ttftMs - server.prompt.ms + server.gapMs
  return [0, Math.min(MOST_OF_A_COLD_ONE, 1.25 * warmMs / server.ttftMs)]
}

/** (b's − a's figure) ÷ (b's − a's other figure). */
function shareOfDifference (a: string, b: string, part: Figure, whole: Figure, band: Band): FactorCell {
  return {
    id: `${b} − ${a}`,
    value: views => {
      const [ofPart, ofWhole] = [part, whole].map(figure => middleOfPairs(views, a, b, differenceOf(figure)))
      return ofPart === null || ofPart === undefined || ofWhole === null || ofWhole === undefined || ofWhole <= 0 ? null : ofPart / ofWhole
    },
    band
  }
}

const coldFile: FactorClaim = {
  id: 'cold-file',
  statement: 'A model file that is not in the page cache makes a start later by its bytes ÷ the disk’s rate, and nothing after it',
  explanation: 'All conditions have the same limit on the disk of the model, so that its rate is known before the run: without one a fast disk, or the cache of a hypervisor, may hide the reading. llama-server maps the file and has all of it brought in while it loads. Pages that are not in the page cache come from storage then: the process reads as many bytes as the file has. Once it is healthy they are in memory, and the first token takes what it takes with a warm file.',
  rivals: false,
  legs: (draft, manifest) => ({
    application: [{ id: 'file-start', metric: 'start-to-first-token', what: 'start to first token, ms later with a cold file: its bytes ÷ the rate of the disk, which all conditions share', source: STAMPS, cells: [differenceCell(PROCESS, FILE, startToFirstToken, around(manifest === undefined ? undefined : manifest.model.bytes / (diskRate(draft) ?? NaN) * 1000, [0.75, 1.25]))] }],
    os: [{ id: 'file-read', metric: 'read-bytes', what: 'MiB that the process read from storage until the load: the file, or nothing', source: IO, cells: [cellOf(FILE, readMibUntilLoad, modelMib(manifest, [0.9, 1.2])), cellOf(PROCESS, readMibUntilLoad, modelMib(manifest, [0, 0.05]))] }],
    mechanism: [{ id: 'file-where', metric: 'start-to-first-token', what: 'of the time lost, the share before llama-server is healthy', source: 'launch and health of llama-server', cells: [shareOfDifference(PROCESS, FILE, startMs, startToFirstToken, [0.8, 1.2])] }],
    control: [
      { id: 'file-ttft', metric: 'ttft', what: 'TTFT of the first call: loaded is loaded', source: LOAD, cells: [ratioCell(PROCESS, FILE, ttft, [0.8, 1.25])] },
      { id: 'file-read-in-load', metric: 'read-bytes', what: 'MiB read during the load: none is left to be read', source: IO, cells: [cellOf(FILE, readMibInLoad, [0, 1])] }
    ]
  })
}

const coldProcess: FactorClaim = {
  id: 'cold-process',
  statement: 'A fresh process costs its start, though the file is warm: it maps and prepares what it does not read; its first request is as fast as a later one',
  explanation: 'Whoever comes after a restart waits until llama-server has mapped the file, made its buffers and its slots, and only then for the first token. The file is taken from the page cache, so nothing is read from storage, but its pages must get into the page tables of the process, which is CPU time. ' +
    'The kernel maps them ahead while it loads, so that little is left for the first request to pay for.',
  rivals: false,
  legs: (_draft, manifest) => ({
    application: [{
      id: 'process-start',
      metric: 'start-to-first-token',
      what: 'start to first token of a fresh process ÷ TTFT of one that runs already',
      source: STAMPS,
      cells: [{ id: `${PROCESS} ÷ ${PROMPT}`, value: views => middleOfPairs(views, PROMPT, PROCESS, quotientOf(startToFirstToken, ttft)), band: [1.2, unbounded] }]
    }],
    os: [
      { id: 'process-cpu', metric: 'server-cpu', what: 'CPU time of the process until the load, ms', source: PROC, cells: [cellOf(PROCESS, cpuMsUntilLoad, [30, unbounded])] },
      { id: 'process-read', metric: 'read-bytes', what: 'MiB that it read from storage until the load', source: IO, cells: [cellOf(PROCESS, readMibUntilLoad, modelMib(manifest, [0, 0.05]))] }
    ],
    mechanism: [{ id: 'process-mapped', metric: 'rss-file', what: 'MiB of files in its page tables when the load begins: the model is there, unread', source: '/proc/PID/status RssFile', cells: [cellOf(PROCESS, mappedMib, modelMib(manifest, [0.9, 1.6]))] }],
    control: [
      { id: 'process-ttft', metric: 'ttft', what: 'TTFT of its first request ÷ that of a third: the request itself is not what is cold', source: LOAD, cells: [ratioCell(PROMPT, PROCESS, ttft, [0.8, 1.3])] },
      { id: 'process-cached', metric: 'cached-tokens', what: 'share of the prompt taken from a slot: neither had it', source: TIMINGS, cells: [cellOf(PROCESS, cachedShare, [0, 0]), cellOf(PROMPT, cachedShare, [0, 0])] }
    ]
  })
}

const coldPrompt: FactorClaim = {
  id: 'cold-prompt',
  statement: 'A prompt that a slot still holds is not computed again: its first token comes after one token’s work and what every call takes',
  explanation: 'Keys and values of the last prompt stay in the slot. A call with the same beginning and cache_prompt takes them from there, so that only the last token is computed. File and process were warm in both arms: nothing is read and nothing is started.',
  rivals: false,
  legs: (draft, manifest) => {
    const server = calibrated(draft, manifest)
    return {
      application: [{ id: 'prompt-ttft', metric: 'ttft', what: 'TTFT, prompt warm ÷ cold: at most what each call takes beside its prompt and one token’s gap, in the calibration, and a quarter more', source: LOAD, cells: [ratioCell(PROMPT, WARM, ttft, warmShare(server))] }],
      os: [{ id: 'prompt-cpu', metric: 'server-cpu-per-call', what: 'CPU time of the call that is saved ÷ what its first token comes sooner: the server computed in that time, and did not wait', source: `${PROC}, ${LOAD}`, cells: [shareOfDifference(WARM, PROMPT, cpuMsPerCall, ttft, [0.7, 1.4])] }],
      mechanism: [
        { id: 'prompt-cached', metric: 'cached-tokens', what: 'share of the prompt taken from the slot', source: TIMINGS, cells: [cellOf(PROMPT, cachedShare, [0, 0]), cellOf(WARM, cachedShare, [0.95, 1])] },
        { id: 'prompt-one-token', metric: 'prompt-ms', what: 'time in which llama-server computed what was left of the prompt, in median gaps of the same block: one token’s work', source: `${TIMINGS}, ${LOAD}`, cells: [cellOf(WARM, promptMsInGaps, [0.5, 2])] },
        { id: 'prompt-ms', metric: 'prompt-ms', what: 'of the TTFT with a cold prompt, the share in which it is computed', source: `${TIMINGS}, ${LOAD}`, cells: [cellOf(PROMPT, computingShare, [0.7, 1.05])] }
      ],
      control: [
        { id: 'prompt-gap', metric: 'itl', what: 'median gap, prompt warm ÷ cold: the machine did not get faster', source: LOAD, cells: [ratioCell(PROMPT, WARM, gap, [0.85, 1.18])] },
        { id: 'prompt-read', metric: 'read-bytes', what: 'MiB that the process read from storage until the load and in it', source: IO, cells: [cellOf(PROMPT, readMibUntilLoad, modelMib(manifest, [0, 0.05])), cellOf(WARM, readMibUntilLoad, modelMib(manifest, [0, 0.05]))] }
      ]
    }
  }
}

/** Three different colds, each with evidence of its own. */
export const coldWarm = factorEntry('cold-warm', [coldFile, coldProcess, coldPrompt])
