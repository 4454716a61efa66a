import type { Manifest, StreamsPlan } from '../../types.js'
import { middleOf, type Figure } from '../contention.js'
import { ratio } from '../ratio.js'
import { streamsEntry } from './checked-claim.js'
import { diskRate } from './disk-rate.js'
import { unbounded } from './leg.js'
import { largestOf, smallestOf } from './memory-figures.js'
import { inMebibytes, mebi, notThrottled, sooner } from './memory-mitigations.js'
import { LOAD } from './sources.js'
import { withIt, without } from './streams-checks.js'

/** What the process had read from storage when the load began: since its own start. */
const readUntilLoad: Figure = ({ block }) => block.evidence.osAtStart?.process?.readBytes ?? null

const startToFirstToken: Figure = view => view.summary.startToFirstTokenMs

const modelMib = ({ model }: Manifest): number => model.bytes / mebi

/** The part of the start that the disk's limit alone takes, ÷ what was won. */
function savedToPredicted (views: Parameters<typeof middleOf>[0], plan: StreamsPlan): number | null {
  const [slow, fast, rate] = [middleOf(views, without, startToFirstToken), middleOf(views, withIt, startToFirstToken), diskRate(plan)]
  const readMib = middleOf(views, without, inMebibytes(readUntilLoad))
  return slow === null || fast === null || rate === undefined || readMib === null ? null : ratio(slow - fast, readMib * mebi / rate * 1000)
}

export const preload = streamsEntry({
  id: 'preload',
  statement: 'With the model read ahead inside llama-server’s own group the first token after a start comes sooner, by what a slow disk would have taken',
  quietStatement: 'On the quiet host preload changes nothing',
  explanation: 'At its start llama-server maps the model and reads all of it. From a slow disk that takes its size ÷ the disk’s rate. Pages that are in the page cache already cost nothing, and they count against the limit of whoever read them first: ' +
    'so they are read by a process in llama-server’s own group, while whatever served before still serves.',
  application: sooner('start-to-first-token'),
  os: [
    { id: 'read-mib-until-load-with', metric: 'read-bytes', what: 'MiB that llama-server’s process itself read until the load with it, most of any block', source: '/proc/PID/io', value: views => largestOf(views, [withIt], inMebibytes(readUntilLoad)), band: (_draft, manifest) => [0, 0.1 * modelMib(manifest)] },
    { id: 'read-mib-until-load-without', metric: 'read-bytes', what: 'without it, least of any block', source: '/proc/PID/io', value: views => smallestOf(views, [without], inMebibytes(readUntilLoad)), band: (_draft, manifest) => [0.9 * modelMib(manifest), 1.2 * modelMib(manifest)], quiet: null }
  ],
  control: [
    { id: 'ttft-with-to-without', metric: 'ttft', what: 'TTFT of that first call, with ÷ without: what is won is won in loading, the server does not compute faster', source: LOAD, value: views => ratio(middleOf(views, withIt, view => view.summary.ttftP50Ms), middleOf(views, without, view => view.summary.ttftP50Ms)), band: () => [0.8, unbounded] },
    notThrottled
  ],
  mechanism: [
    { id: 'saved-to-predicted', metric: 'start-to-first-token', what: 'time won ÷ (bytes that the process read without it ÷ rate of the disk)', source: 'stamps of start and first token, /proc/PID/io, io.max', value: savedToPredicted, band: draft => diskRate(draft) === undefined ? undefined : [0.8, 1.25], quiet: null },
    { id: 'resident-with', metric: 'read-back', what: 'share of the blocks with it in which the file was in the page cache, charged to the group, before the start', source: 'fincore and memory.stat file', value: views => share(views, withIt), band: () => [1, 1] }
  ]
})

function share (views: Parameters<typeof middleOf>[0], condition: string): number | null {
  return middleOf(views, condition, ({ block }) => block.evidence.readBack['model file read ahead'] === undefined ? 0 : 1)
}
