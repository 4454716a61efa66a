import t from 'tap'
import { opaqueBody, parseBody } from './body.js'

t.test('a JSON object is parsed, and its bytes stay as they were sent', async t => {
  for (const text of ['{}', ' {"a" : 1}\n', '{"a":"\\u00fc"}', '{"a":"ü 漢"}', '{"a":1,"a":2}']) {
    const bytes = Buffer.from(text)
    const body = parseBody(bytes)
    t.same(body.json, JSON.parse(text), text)
    t.equal(body.bytes, bytes)
  }
})

t.test('what is none', async t => {
  const cases: ReadonlyArray<readonly [string | Buffer, RegExp]> = [
    ['', /has no body; send a JSON object/],
    ['{', /is not JSON: /],
    ['{"a":1}x', /is not JSON: /],
    ['\ufeff{}', /is not JSON: /],
    ['[]', /must be a JSON object, got an array/],
    ['null', /got null/],
    ['"a"', /got a string/],
    ['1', /got a number/],
    [Buffer.from([0x7b, 0xff, 0x7d]), /is not JSON: /]
  ]
  for (const [bytes, message] of cases) t.throws(() => parseBody(Buffer.from(bytes)), { name: 'SyntaxError', message }, String(bytes))
})

t.test('a changed body has new bytes, the old one its own', async t => {
  const body = parseBody(Buffer.from('{ "a": 1 }'))
  const changed = body.withJson({ ...body.json, b: 'ü' })
  t.equal(changed.bytes.toString(), '{"a":1,"b":"ü"}')
  t.equal(changed.bytes, changed.bytes, 'serialised once')
  t.equal(body.bytes.toString(), '{ "a": 1 }')
})

t.test('a body that is no JSON goes as it is, policies see an empty object', async t => {
  const bytes = Buffer.from([1, 2, 255])
  t.equal(opaqueBody(bytes).bytes, bytes)
  t.same(opaqueBody(bytes).json, {})
})
