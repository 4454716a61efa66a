import t from 'tap'
import { askOf } from './ask.js'
import { makeCall } from './testing.js'

function headers (given: Record<string, string>): ReadonlyMap<string, string> {
  return new Map(Object.entries(given))
}

t.test('a call without headers asks for what its caller usually has', async t => {
  const call = makeCall({ caller: 'alice', grant: { weight: 2, bestPriority: 0, usualPriority: 3, maxPlaces: 2 } }, { messages: [], max_tokens: 9 })
  t.same(askOf(call), { caller: 'alice', weight: 2, priority: 3, maxPlaces: 2, nameable: true, bodyBytes: call.body.bytes.length, maxTokens: 9 })
})

t.test('its headers are its limits and its class, within what is granted', async t => {
  const asked = askOf(makeCall({ headers: headers({ 'x-slo-ttft-ms': '800', 'x-weir-deadline-ms': '5000.5', 'x-weir-priority': '0' }) }))
  t.match(asked, { ttftLimitMs: 800, finishLimitMs: 5_000.5, priority: 0 })
  const grant = { weight: 1, bestPriority: 2, usualPriority: 4 }
  for (const [text, priority] of [['0', 2], ['2', 2], ['3', 3], ['99', 9], ['-1', 4], ['urgent', 4], ['', 4]] as const) {
    t.equal(askOf(makeCall({ grant, headers: headers({ 'x-weir-priority': text }) })).priority, priority, `"${text}"`)
  }
})

t.test('a header that is no time is no limit', async t => {
  for (const text of ['0', '-5', 'soon', '', 'Infinity', 'NaN']) {
    const asked = askOf(makeCall({ headers: headers({ 'x-slo-ttft-ms': text, 'x-weir-deadline-ms': text }) }))
    t.same([asked.ttftLimitMs, asked.finishLimitMs], [undefined, undefined], `"${text}"`)
  }
})

t.test('a counted prompt is told', async t => {
  const call = makeCall()
  call.need.promptTokens = 77
  t.equal(askOf(call).promptTokens, 77)
})
