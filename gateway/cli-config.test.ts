import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { policyFactories } from '../policies/index.js'
import { configOf } from './cli-config.js'
import type { CliOptions } from './cli-config.js'
import type { Config } from './config-schema.js'

const config = (options: CliOptions, env: NodeJS.ProcessEnv = {}): Config => configOf(options, env, policyFactories)

t.test('the command line goes over the file, and what it does not say stays', async t => {
  const file = join(t.testdir({}), 'weir.json')
  writeFileSync(file, JSON.stringify({
    listen: { port: 1, trustedProxies: ['10.0.0.1'] },
    upstream: { url: 'http://127.0.0.1:1', apiKey: 'f' },
    server: { slots: 2, batchTokens: 64 },
    log: { level: 'warn' },
    policies: [],
    allowRoutes: ['/tools'],
    cors: { origins: '*' },
    apiKeys: [{ name: 'ann', sha256: 'a'.repeat(64) }]
  }))
  const both = config({ config: file, port: '0', upstream: 'http://127.0.0.1:2', slots: '3', logFile: 'x.log' }, { LLAMA_API_KEY: 'e' })
  t.same(both.listen, { host: '127.0.0.1', port: 0, trustedProxies: ['10.0.0.1'] })
  t.same(both.upstream, { url: 'http://127.0.0.1:2', apiKey: 'f' })
  t.match(both.server, { slots: 3, batchTokens: 64 })
  t.same(both.log, { file: 'x.log', level: 'warn' })
  t.same([both.policies, both.allowRoutes, both.cors], [[], ['/tools'], { origins: '*', maxAgeSeconds: 600 }])
  t.match(config({ config: file }), { listen: { port: 1 }, server: { slots: 2 }, upstream: { url: 'http://127.0.0.1:1' } })
})

t.test('every option has its place', async t => {
  const { listen, server } = config({ host: '127.0.0.2', model: 'tiny', threads: '2', llamaServer: '/opt/llama-server' })
  t.equal(listen.host, '127.0.0.2')
  t.match(server, { model: 'tiny', threads: 2, binary: '/opt/llama-server', slots: 4 })
})

t.test('llama-server\'s key: the option, else the file, else the environment; of a server that is started it is its own', async t => {
  const file = join(t.testdir({}), 'weir.json')
  writeFileSync(file, '{"upstream":{"url":"http://127.0.0.1:1","apiKey":"f"}}')
  const env = { LLAMA_API_KEY: 'e' }
  t.equal(config({ config: file, apiKey: 'o' }, env).upstream?.apiKey, 'o')
  t.equal(config({ config: file }, env).upstream?.apiKey, 'f')
  t.equal(config({ upstream: 'http://127.0.0.1:2' }, env).upstream?.apiKey, 'e')
  t.same(config({ upstream: 'http://127.0.0.1:2' }).upstream, { url: 'http://127.0.0.1:2' })
  t.equal(config({}, env).upstream, undefined)
})

t.test('mistakes name the option', async t => {
  const cases: ReadonlyArray<readonly [CliOptions, RegExp]> = [
    [{ port: 'x' }, /^--port x: must be a whole number$/],
    [{ slots: '1.5' }, /^--slots 1\.5: must be a whole number$/],
    [{ threads: '-1' }, /^--threads -1: must be a whole number$/],
    [{ slots: '0' }, /^server\.slots: must be >= 1, got 0$/],
    [{ upstream: 'localhost:1' }, /^--upstream localhost:1: must be http/],
    [{ upstream: 'nowhere' }, /^--upstream nowhere: is not a URL; give one like/],
    [{ upstream: 'http://127.0.0.1:2/v1' }, /^--upstream http:\/\/127\.0\.0\.1:2\/v1: must be .* without a path$/],
    [{ upstream: 'http://127.0.0.1:2/?a' }, /without a path$/],
    [{ apiKey: 'k' }, /^--api-key is the key of the llama-server at --upstream URL; give that, too$/]
  ]
  for (const [options, message] of cases) t.throws(() => config(options), { name: 'UsageError', message }, JSON.stringify(options))
})
