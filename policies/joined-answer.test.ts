import t from 'tap'
import { JoinedAnswer } from './joined-answer.js'

/** As llama-server writes it, numbers with all their digits. */
const oai = '{"model":"m \\"ä\\" [0]","object":"list","usage":{"prompt_tokens":9,"total_tokens":9},"data":[{"embedding":[0.10000000149011612,-1e-05],"index":0,"object":"embedding"},{"embedding":[-0.0],"index":1,"object":"embedding"},{"embedding":[1.0,2.0],"index":2,"object":"embedding"}]}'
const read = (text: string, inputs: number) => JoinedAnswer.read(Buffer.from(text), inputs)

t.test('each part is what the same inputs alone would have got, digit for digit', async t => {
  const joined = read(oai, 3)
  t.equal(joined?.promptTokens, 9)
  t.equal(joined?.part(0, 1, 4).toString(), '{"model":"m \\"ä\\" [0]","object":"list","usage":{"prompt_tokens":4,"total_tokens":4},"data":[{"embedding":[0.10000000149011612,-1e-05],"index":0,"object":"embedding"}]}')
  t.equal(joined?.part(1, 2, 5).toString(), '{"model":"m \\"ä\\" [0]","object":"list","usage":{"prompt_tokens":5,"total_tokens":5},"data":[{"embedding":[-0.0],"index":0,"object":"embedding"},{"embedding":[1.0,2.0],"index":1,"object":"embedding"}]}')
})

t.test('names that end with a backslash, hold quotes, commas and brackets', async t => {
  for (const model of ['ends with \\', '\\" ], {', ',', '}']) {
    const text = JSON.stringify({ model, usage: { prompt_tokens: 2, total_tokens: 2 }, data: [{ embedding: [1], index: 0 }, { embedding: [2], index: 1, note: model }] })
    const joined = JoinedAnswer.read(Buffer.from(text), 2)
    t.same(JSON.parse(String(joined?.part(1, 1, 1))), { model, usage: { prompt_tokens: 1, total_tokens: 1 }, data: [{ embedding: [2], index: 0, note: model }] })
  }
})

t.test('base64, and the form without usage', async t => {
  const base64 = '{"object":"list","usage":{"prompt_tokens":2,"total_tokens":2},"data":[{"embedding":"AA}],==","index":0,"object":"embedding","encoding_format":"base64"},{"embedding":"BB","index":1,"object":"embedding","encoding_format":"base64"}]}'
  t.match(read(base64, 2)?.part(1, 1, 1).toString(), /"data":\[\{"embedding":"BB","index":0,"object":"embedding","encoding_format":"base64"\}\]\}$/)
  t.match(read(base64, 2)?.part(0, 1, 1).toString(), /"AA\}\],=="/)
  const plain = read('[{"index":0,"embedding":[[1,2],[3,4]]},{"index":1,"embedding":[[5,6]]}]', 2)
  t.equal(plain?.promptTokens, undefined)
  t.equal(plain?.part(1, 1, 0).toString(), '[{"index":0,"embedding":[[5,6]]}]')
})

t.test('vectors go by their index, not by their place', async t => {
  t.equal(read('[{"index":1,"embedding":[[2]]},{"index":0,"embedding":[[1]]}]', 2)?.part(0, 1, 0).toString(), '[{"index":0,"embedding":[[1]]}]')
})

t.test('what is not as expected is not divided', async t => {
  for (const [text, inputs] of [[oai, 2], [oai, 4], ['', 1], ['{}', 1], ['{"data":[]}', 0], ['[{"index":0},{"index":0}]', 2], [oai.replace('"total_tokens":9', '"total_tokens":10'), 3], [oai.replace('"total_tokens":9', '"total_tokens":9,"cached":1'), 3]] as const) {
    t.equal(read(text, inputs), undefined, text.slice(0, 40))
  }
})
