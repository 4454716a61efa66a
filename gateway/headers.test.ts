import t from 'tap'
import { headersToClient, headersToUpstream } from './headers.js'

function toUpstream (headers: Readonly<Record<string, string>>, apiKey?: string, dropCredentials = false): Record<string, string> {
  const flat = headersToUpstream(new Map(Object.entries(headers)), apiKey, dropCredentials)
  return Object.fromEntries(Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]))
}

t.test('upstream gets what belongs to the message, not to the connection', async t => {
  const hop = ['keep-alive', 'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'host', 'content-length', 'expect', 'x-conversation-id']
  t.same(toUpstream({ ...Object.fromEntries(hop.map(name => [name, 'x'])), connection: 'keep-alive', accept: 'a', 'x-mine': 'm' }), { accept: 'a', 'x-mine': 'm' })
  t.same(toUpstream({ connection: 'close', 'x-mine': 'm', close: 'c' }), { 'x-mine': 'm', close: 'c' }, 'close and keep-alive are words, no names')
  t.same(toUpstream({ connection: 'Close, X-Mine ,x-other', 'x-mine': 'm', 'x-other': 'o', 'x-third': 't' }), { 'x-third': 't' }, 'names in Connection')
})

t.test('credentials', async t => {
  const sent = { authorization: 'Bearer client', 'x-api-key': 'client', accept: 'a' }
  t.same(toUpstream(sent), sent, 'nobody needs keys: llama-server may')
  t.same(toUpstream(sent, undefined, true), { accept: 'a' }, 'they were for the gateway')
  t.same(toUpstream(sent, 'up'), { accept: 'a', authorization: 'Bearer up' })
  t.same(toUpstream({}, 'up', true), { authorization: 'Bearer up' })
})

t.test('the client gets what belongs to the message', async t => {
  t.same(headersToClient({ connection: 'keep-alive', 'keep-alive': 'timeout=5', 'transfer-encoding': 'chunked', 'content-type': 'x', 'content-length': '1', 'set-cookie': ['a', 'b'], gone: undefined }),
    { 'content-type': 'x', 'content-length': '1', 'set-cookie': ['a', 'b'] })
  t.same(headersToClient({ connection: ['close', 'X-Hop'], 'x-hop': '1', 'x-end': '2' }), { 'x-end': '2' })
  t.same(headersToClient({ 'access-control-allow-origin': 'http://a', 'access-control-allow-credentials': 'true', vary: 'Origin' }), { vary: 'Origin' }, 'who may read it is not upstream\'s to say')
})
