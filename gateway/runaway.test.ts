import t from 'tap'
import { makeCall } from '../policies/testing.js'
import { BrokenOff } from '../policies/broken-off.js'
import { runawayAnswer, runawayAtMs, runawayCut } from './runaway.js'

const maxOutputTime = { ms: 1_500, option: 'prompt-cap.maxOutputSeconds' }

t.test('a stream\'s time counts from its first byte, any other answer\'s from sending', async t => {
  const cases: ReadonlyArray<readonly [what: string, stream: boolean, limited: boolean, firstByteAtMs: number | undefined, dueAtMs: number]> = [
    ['a stream before its first byte', true, true, undefined, Infinity],
    ['a stream', true, true, 4_000, 5_500],
    ['no stream', false, true, undefined, 2_500],
    ['no stream, whose body began', false, true, 2_400, 2_500],
    ['a stream without a limit', true, false, 4_000, Infinity],
    ['no stream, without a limit', false, false, undefined, Infinity]
  ]
  for (const [what, stream, limited, firstByteAtMs, dueAtMs] of cases) {
    const call = makeCall({ stream, need: { maxTokens: 9, places: 1, ...(limited ? { maxOutputTime } : {}) } })
    t.equal(runawayAtMs(call, 1_000, firstByteAtMs), dueAtMs, what)
  }
})

t.test('the words name the limit and its option, and an SDK is told not to send the call again', async t => {
  const need = { maxTokens: 9, places: 1, maxOutputTime }
  const cut = runawayCut(makeCall({ stream: true, need }))
  t.ok(cut instanceof BrokenOff)
  t.match(cut, { status: 504, reason: 'runaway', message: /^the answer was not complete 1\.5 s after its first byte \(prompt-cap\.maxOutputSeconds\) and was ended; what came before is incomplete$/ })
  const released = new Promise<void>(() => {})
  const answer = runawayAnswer(makeCall({ stream: false, need }), released)
  t.match(answer, { status: 504, reason: 'runaway', headers: { 'x-weir-reason': 'runaway', 'x-should-retry': 'false' } })
  t.notOk('retry-after' in answer.headers)
  t.match(String(answer.body), /1\.5 s after the call was sent to llama-server \(prompt-cap\.maxOutputSeconds\) and was ended; ask for fewer tokens, or for a stream/)
  t.equal(answer.released, released, 'the place is kept')
  t.match(await answer.over, { how: 'fault' })
})
