import t from 'tap'
import { callRoutes, hostRoutes, routeClassOf, streamEndOf } from './routes.js'

type Row = readonly [requests: string, routeClass: string, streamEnd?: string]

/** Every route of llama-server, as its source registers them (tools/server/server.cpp), `METHOD path path …`. */
const routes: readonly Row[] = [
  ['POST /completion /completions /infill', 'generation', 'stop'],
  ['POST /v1/completions /v1/chat/completions /chat/completions /api/chat', 'generation', 'done'],
  ['POST /v1/audio/transcriptions /audio/transcriptions', 'generation', 'done'],
  ['POST /predict', 'generation', 'done'],
  ['POST /v1/responses /responses', 'generation', 'response.completed'],
  ['POST /v1/messages', 'generation', 'message_stop'],
  ['POST /embedding /embeddings /v1/embeddings', 'slot-bound'],
  ['POST /rerank /reranking /v1/rerank /v1/reranking', 'slot-bound'],
  ['POST /tokenize /detokenize /apply-template', 'free'],
  ['POST /chat/completions/input_tokens /v1/chat/completions/input_tokens /responses/input_tokens /v1/responses/input_tokens', 'free'],
  ['POST /v1/messages/count_tokens', 'free'],
  ['GET /health /v1/health /models /v1/models /models/sse /props /', 'free'],
  ['GET /metrics /slots /lora-adapters', 'admin'],
  ['POST /slots/0 /lora-adapters /props /models /models/load /models/unload', 'admin'],
  ['DELETE /models', 'admin'],
  ['POST /v1/chat/completions/control', 'special'],
  ['GET /v1/stream/c1 /v1/streams', 'special'],
  ['DELETE /v1/stream/c1', 'special'],
  ['GET /tools /cors-proxy', 'blocked'],
  ['POST /tools /cors-proxy', 'blocked']
]

t.test('every route of llama-server has its class, and its stream its end', async t => {
  for (const [requests, routeClass, streamEnd] of routes) {
    const [method = '', ...paths] = requests.split(' ')
    for (const path of paths) {
      t.equal(routeClassOf(method, path), routeClass, `${method} ${path}`)
      t.equal(streamEndOf(path), streamEnd, `the end of ${path}`)
    }
  }
  const called = routes.flatMap(([requests, routeClass]) => ['generation', 'slot-bound'].includes(routeClass) ? requests.split(' ').slice(1) : [])
  t.same(callRoutes.map(({ path }) => path).sort(), called.sort(), 'and no other one goes through the chain')
})

t.test('the class of what only looks like a route', async t => {
  const cases: ReadonlyArray<readonly [method: string, path: string, routeClass: string]> = [
    ['GET', '/v1/chat/completions', 'free'],
    ['OPTIONS', '/v1/chat/completions', 'free'],
    ['POST', '/v1/chat/completions/', 'free'],
    ['POST', '/V1/chat/completions', 'free'],
    ['GET', '/slots/0', 'free'],
    ['POST', '//Tools/x', 'blocked'],
    ['GET', '/toolsets', 'free'],
    ['GET', '/cors-proxy.js', 'free']
  ]
  for (const [method, path, routeClass] of cases) t.equal(routeClassOf(method, path), routeClass, `${method} ${path}`)
})

t.test('blocked routes are let through one by one', async t => {
  t.equal(routeClassOf('POST', '/tools', ['/tools']), 'special')
  t.equal(routeClassOf('GET', '//Tools/x', ['/tools']), 'special')
  t.equal(routeClassOf('GET', '/cors-proxy', ['/tools']), 'blocked')
  for (const path of hostRoutes) t.equal(routeClassOf('GET', `${path}/x`, hostRoutes), 'special')
})

t.test('how a stream ends does not depend on the query', async t => {
  t.equal(streamEndOf('/v1/completions?x=1'), 'done')
  t.equal(streamEndOf('/infill?'), 'stop')
  t.equal(streamEndOf('?/completion'), undefined)
})
