import t from 'tap'
import { chunkDueAtMs, type Company, type LastChunk, type TurnOptions } from './prefill-turn.js'

const options: TurnOptions = { share: 0.5, maxPauseMs: 1_000 }
const last: LastChunk = { endedAtMs: 5_000, tookMs: 400 }
const alone: Company = { others: 0, prefillsUntilMs: -Infinity }
const decoding: Company = { others: 2, prefillsUntilMs: -Infinity }

t.test('when the next chunk may go', async t => {
  const cases: ReadonlyArray<readonly [name: string, dueAtMs: number, last: LastChunk | undefined, company: Company, options?: TurnOptions]> = [
    ['alone: at once', 5_000, last, alone],
    ['beside calls that decode: they get as long as the chunk took', 5_400, last, decoding],
    ['a larger share: a shorter pause', 5_100, last, decoding, { ...options, share: 0.8 }],
    ['the whole of it: none', 5_000, last, decoding, { ...options, share: 1 }],
    ['the first chunk waits for nobody who decodes', 5_000, undefined, decoding],
    ['nor for an earlier prompt whose pause is over', 5_000, { endedAtMs: 4_000, tookMs: 400 }, decoding],
    ['while another prompt is evaluated: until that is over', 5_700, last, { others: 1, prefillsUntilMs: 5_700 }],
    ['also the first chunk', 5_700, undefined, { others: 1, prefillsUntilMs: 5_700 }],
    ['who decodes keeps its time', 5_400, last, { others: 2, prefillsUntilMs: 5_100 }],
    ['but never longer than the longest pause', 6_000, last, { others: 3, prefillsUntilMs: 9_000 }],
    ['nor when the chunk before took very long', 6_000, { endedAtMs: 5_000, tookMs: 4_000 }, decoding]
  ]
  for (const [name, dueAtMs, before, company, own = options] of cases) {
    t.ok(Math.abs(chunkDueAtMs({ sinceMs: 5_000 }, before, company, own) - dueAtMs) < 1e-6, name)
  }
})
