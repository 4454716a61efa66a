import t from 'tap'
import { errorType, faultAnswer, ownRefusal } from './refusal.js'
import { streamErrorEvent } from './stream-error.js'

t.test('a refusal is in llama-server\'s error shape, with its reason and when to try again', async t => {
  const answer = ownRefusal({ status: 503, reason: 'draining', message: 'later', retryAfterSeconds: 1.2 })
  t.match(answer, { status: 503, reason: 'draining', headers: { 'content-type': 'application/json; charset=utf-8', 'x-weir-reason': 'draining', 'retry-after': '2' } })
  t.same(JSON.parse(String(answer.body)), { error: { code: 503, message: 'later', type: 'unavailable_error', reason: 'draining' } })
  t.match(await answer.over, { how: 'complete' })
  t.notOk('retry-after' in ownRefusal({ status: 400, reason: 'bad-request', message: 'never' }).headers)
})

t.test('types of error', async t => {
  for (const [status, type] of [[400, 'invalid_request_error'], [401, 'authentication_error'], [404, 'not_found_error'], [413, 'invalid_request_error'], [503, 'unavailable_error'], [504, 'timeout_error'], [500, 'server_error'], [431, 'invalid_request_error'], [408, 'invalid_request_error']] as const) {
    t.equal(errorType(status), type, String(status))
  }
})

t.test('a fault keeps its place until upstream let go', async t => {
  const released = new Promise<void>(() => {})
  const answer = faultAnswer({ status: 499, reason: 'client-left', message: 'gone' }, 'left', released)
  t.equal(answer.released, released)
  t.same(await answer.over, { how: 'left', bytes: 0 })
})

t.test('an error event is an event of its own, in the dialect of its route', async t => {
  t.equal(streamErrorEvent('done', 502, 'm'), '\n\ndata: {"error":{"code":502,"message":"m","type":"upstream_error"}}\n\n')
  t.equal(streamErrorEvent('stop', 502, 'm'), streamErrorEvent('done', 502, 'm'))
  t.equal(streamErrorEvent('message_stop', 502, 'm'), '\n\nevent: error\ndata: {"type":"error","error":{"code":502,"message":"m","type":"api_error"}}\n\n')
  t.equal(streamErrorEvent('response.completed', 502, 'm'), '\n\nevent: error\ndata: {"type":"error","code":"502","message":"m","param":null}\n\n')
  t.equal(streamErrorEvent('done', 504, 'm', 'runaway'), '\n\ndata: {"error":{"code":504,"message":"m","type":"timeout_error","reason":"runaway"}}\n\n')
  t.equal(streamErrorEvent('response.completed', 504, 'm', 'runaway'), '\n\nevent: error\ndata: {"type":"error","code":"504","message":"m","param":null,"reason":"runaway"}\n\n')
  t.notMatch(streamErrorEvent('done', 502, 'a\nb').slice(2, -2), /\n/, 'a message cannot end the event')
})
