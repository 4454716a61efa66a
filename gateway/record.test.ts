import t from 'tap'
import { openGrant } from '../policies/contract.js'
import type { Answer, Call, Decision, Outcome } from '../policies/contract.js'
import { opaqueBody } from './body.js'
import { recordOf } from './record.js'
import type { Ended } from './record.js'

function decision (queueWaitMs: number): Decision {
  return { policy: 'p', verdict: 'pass', reason: 'r', queueWaitMs, workMs: 0, mode: 'on', facts: {}, steps: [] }
}

const call: Call = {
  id: 'i',
  route: 'generation',
  path: '/completion?x=1',
  method: 'POST',
  caller: 'c',
  grant: openGrant,
  headers: new Map(),
  body: opaqueBody(Buffer.alloc(0)),
  stream: false,
  arrivedAtMs: 100,
  need: { maxTokens: 5, places: 1, promptTokens: 4 },
  signal: new AbortController().signal,
  decisions: [decision(2), decision(3)]
}

function ended (outcome: Partial<Outcome>, more: Partial<Ended> = {}, answer: Partial<Answer> = {}): Ended {
  const how: Outcome = { how: 'complete', bytes: 7, ...outcome }
  return {
    call,
    trace: { resent: 0 },
    answer: { status: 200, headers: {}, body: Buffer.alloc(0), over: Promise.resolve(how), released: Promise.resolve(), ...answer },
    outcome: how,
    leftAtMs: undefined,
    headersSent: true,
    overAtMs: 200,
    ...more
  }
}

t.test('status, outcome and reason', async t => {
  const cases: ReadonlyArray<readonly [what: string, ended: Ended, expected: readonly [status: number, outcome: string, reason: string | undefined]]> = [
    ['answered', ended({}), [200, 'complete', undefined]],
    ['llama-server\'s own error', ended({}, {}, { status: 400 }), [400, 'complete', undefined]],
    ['refused by a policy', ended({}, {}, { status: 429, reason: 'queue-full' }), [429, 'refused', 'queue-full']],
    ['a fault has a reason, too', ended({ how: 'fault' }, {}, { status: 502, reason: 'upstream-lost' }), [502, 'fault', 'upstream-lost']],
    ['cut', ended({ how: 'cut' }), [200, 'cut', undefined]],
    ['cut by us', ended({ how: 'cut', reason: 'runaway' }), [200, 'cut', 'runaway']],
    ['left before the headers', ended({ how: 'left' }, { leftAtMs: 140, headersSent: false }), [499, 'left', 'client-left']],
    ['left in the middle', ended({ how: 'left' }, { leftAtMs: 140 }), [200, 'left', 'client-left']],
    ['left while upstream had its last byte sent', ended({}, { leftAtMs: 140 }), [200, 'left', 'client-left']],
    ['left while it was refused', ended({}, { leftAtMs: 140, headersSent: false }, { status: 429, reason: 'queue-full' }), [499, 'left', 'client-left']]
  ]
  for (const [what, input, expected] of cases) {
    const { status, outcome, reason } = recordOf(input)
    t.same([status, outcome, reason], expected, what)
  }
})

t.test('times and tokens: absent when they are not known, llama-server\'s own before an estimate', async t => {
  const bare = recordOf(ended({}))
  t.match(bare, { msg: 'call', id: 'i', caller: 'c', route: 'generation', path: '/completion?x=1', arrivedAtMs: 100, overAtMs: 200, queueWaitMs: 5, bytes: 7, promptTokens: 4 })
  for (const name of ['reason', 'admittedAtMs', 'upstreamHeadersAtMs', 'firstByteAtMs', 'leftAtMs', 'releasedAtMs', 'cachedTokens', 'outputTokens', 'timings', 'gauges']) t.notOk(name in bare, name)
  const timings = { prompt_n: 1, prompt_ms: 2, predicted_n: 3, predicted_ms: 4 }
  const full = recordOf(ended({ firstByteAtMs: 130 }, {
    trace: { resent: 0, admittedAtMs: 110, upstreamHeadersAtMs: 120, firstByteAtMs: 131, facts: { promptTokens: 9, cachedTokens: 8, outputTokens: 3, timings } },
    leftAtMs: 150,
    releasedAtMs: 210,
    gauges: { taken: 1 }
  }))
  t.match(full, { admittedAtMs: 110, upstreamHeadersAtMs: 120, firstByteAtMs: 130, leftAtMs: 150, releasedAtMs: 210, promptTokens: 9, cachedTokens: 8, outputTokens: 3, timings, gauges: { taken: 1 } })
})
