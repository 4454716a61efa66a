import t from 'tap'
import { canonicalBody, canonicalNumber } from './canonical-body.js'

const of = (text: string): string | undefined => canonicalBody(Buffer.from(text))

t.test('ways to write the same', async t => {
  const same: ReadonlyArray<readonly [what: string, a: string, b: string]> = [
    ['white space', '{"a":[1,{"b":null}],"c":true}', ' {\n"a" :\t[ 1 , {"b" : null} ] ,\r\n"c": true } '],
    ['order of the outermost fields', '{"a":1,"b":2}', '{"b":2,"a":1}'],
    ['escapes', '{"a":"é/\\u0041😀\\n"}', '{"\\u0061":"\\u00e9\\/A\\ud83d\\ude00\\u000a"}'],
    ['a float field', '{"temperature":0,"top_p":0.5,"min_p":10}', '{"temperature":0.0,"top_p":5e-1,"min_p":1.0E+1}'],
    ['the last of two', '{"a":1,"b":0,"a":2}', '{"a":2,"b":0}'],
    ['who asks', '{"a":1,"user":"x","metadata":{"k":1}}', '{"a":1}'],
    ['empty', '{}', ' { } ']
  ]
  for (const [what, a, b] of same) t.equal(of(a), of(b), what)
})

t.test('what llama-server reads as two is two', async t => {
  const different: ReadonlyArray<readonly [what: string, a: string, b: string]> = [
    ['large integers', '{"seed":9007199254740992}', '{"seed":9007199254740993}'],
    ['a whole number and a float among token ids', '{"prompt":[1,2]}', '{"prompt":[1.0,2]}'],
    ['the same in an unknown field', '{"x":1}', '{"x":1.0}'],
    ['minus zero', '{"temperature":0}', '{"temperature":-0.0}'],
    ['digits beyond a double', '{"top_p":0.1}', '{"top_p":0.1000000000000000055}'],
    ['a number that is none of a double', '{"top_p":1e400}', '{"top_p":1e401}'],
    ['order in a schema', '{"json_schema":{"properties":{"a":1,"b":2}}}', '{"json_schema":{"properties":{"b":2,"a":1}}}'],
    ['order of names that are whole numbers, which a parser sorts', '{"json_schema":{"2":0,"1":0}}', '{"json_schema":{"1":0,"2":0}}'],
    ['two deeper fields of one name', '{"x":{"a":1,"a":2}}', '{"x":{"a":2}}'],
    ['composed and decomposed', '{"a":"\\u00e9"}', '{"a":"e\\u0301"}'],
    ['half a character', '{"a":"\\ud800"}', '{"a":"\\ufffd"}'],
    ['a quote in a string and its end', '{"a":"x\\",\\"b\\":\\"y"}', '{"a":"x","b":"y"}'],
    ['a backslash at the end', '{"a":"\\\\","b":"c"}', '{"a":"\\\\\\",\\"b\\":\\"c"}'],
    ['text and number', '{"temperature":"0"}', '{"temperature":0}'],
    ['null and nothing', '{"a":null}', '{}'],
    ['user, deeper', '{"messages":[{"user":"a"}]}', '{"messages":[{"user":"b"}]}'],
    ['an unknown field', '{"a":1}', '{"a":1,"tomorrow":1}'],
    ['stream', '{"a":1,"stream":true}', '{"a":1,"stream":false}'],
    ['case', '{"seed":1}', '{"SEED":1}']
  ]
  for (const [what, a, b] of different) {
    JSON.parse(a)
    JSON.parse(b)
    t.not(of(a), of(b), what)
  }
})

t.test('bytes that are no text have no canonical form: a parser put the same character in the place of all of them', async t => {
  const bytes = Buffer.from('{"a":"?"}')
  bytes[6] = 0xff
  t.equal(canonicalBody(bytes), undefined)
})

t.test('nested as deep as clients like', async t => {
  const depth = 100_000
  const text = `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`
  t.equal(of(text), text)
})

t.test('what it gives is JSON with the same values', async t => {
  const text = '{"b":{"x":[1,2.50,"\\u0041\\"",[],{}]},"a":"\\\\","temperature":0.70}'
  t.same(JSON.parse(of(text) ?? ''), JSON.parse(text))
})

t.test('numbers', async t => {
  for (const [a, b] of [['0', '0.000'], ['0', '0e7'], ['100', '1e2'], ['1.50', '15E-1'], ['-2.0', '-2'], ['0.001', '1e-3']]) t.equal(canonicalNumber(a!), canonicalNumber(b!), `${a} ${b}`)
  for (const [a, b] of [['1', '-1'], ['1', '10'], ['0.1', '0.01'], ['0', '-0'], ['12', '1.2'], ['1e10', '1e11']]) t.not(canonicalNumber(a!), canonicalNumber(b!), `${a} ${b}`)
  for (const other of ['null', 'true', '1e9999999', '[]']) t.equal(canonicalNumber(other), other)
})
