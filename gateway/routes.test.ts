import t from 'tap'
import { callRoutes, routeClassOf, streamEndOf } from './routes.js'

t.test('the class of a request', async t => {
  const cases: ReadonlyArray<readonly [method: string, path: string, routeClass: string]> = [
    ['POST', '/v1/chat/completions', 'generation'],
    ['POST', '/completion', 'generation'],
    ['POST', '/v1/audio/transcriptions', 'generation'],
    ['POST', '/v1/embeddings', 'slot-bound'],
    ['POST', '/rerank', 'slot-bound'],
    ['GET', '/v1/chat/completions', 'free'],
    ['OPTIONS', '/v1/chat/completions', 'free'],
    ['POST', '/v1/chat/completions/', 'free'],
    ['POST', '/V1/chat/completions', 'free'],
    ['POST', '/v1/chat/completions/input_tokens', 'free'],
    ['POST', '/v1/messages/count_tokens', 'free'],
    ['POST', '/v1/chat/completions/control', 'special'],
    ['GET', '/v1/stream/1', 'special'],
    ['GET', '/metrics', 'admin'],
    ['GET', '/slots', 'admin'],
    ['POST', '/slots/0', 'admin'],
    ['POST', '/props', 'admin'],
    ['GET', '/props', 'free'],
    ['POST', '/lora-adapters', 'admin'],
    ['GET', '/lora-adapters', 'free'],
    ['POST', '/models/load', 'admin'],
    ['GET', '/models', 'free'],
    ['GET', '/tools', 'blocked'],
    ['POST', '//Tools/x', 'blocked'],
    ['GET', '/cors-proxy', 'blocked'],
    ['GET', '/toolsets', 'free'],
    ['GET', '/', 'free']
  ]
  for (const [method, path, routeClass] of cases) t.equal(routeClassOf(method, path), routeClass, `${method} ${path}`)
})

t.test('how the stream of a path ends', async t => {
  const cases: ReadonlyArray<readonly [path: string, end: string | undefined]> = [
    ['/v1/chat/completions', 'done'], ['/v1/completions?x=1', 'done'], ['/completion', 'stop'], ['/completions', 'stop'], ['/infill?', 'stop'],
    ['/v1/messages', 'message_stop'], ['/responses', 'response.completed'], ['/v1/embeddings', undefined], ['/tokenize', undefined], ['?/completion', undefined]
  ]
  for (const [path, end] of cases) t.equal(streamEndOf(path), end, path)
  t.equal(new Set(callRoutes.map(({ path }) => path)).size, callRoutes.length, 'no path twice')
})
