import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import t from 'tap'
import { policyFactories } from '../policies/index.js'
import { checkConfig, readConfigFile } from './config.js'
import { callRoutes } from './routes.js'

function trouble (config: unknown): string {
  try {
    checkConfig(config, policyFactories)
    return 'none'
  } catch (error) {
    t.equal(error instanceof Error && error.name, 'UsageError')
    return error instanceof Error ? error.message : ''
  }
}

t.test('defaults are safe and complete', async t => {
  const config = checkConfig({}, policyFactories)
  t.same(config.listen, { host: '127.0.0.1', port: 8080, trustedProxies: [] })
  t.same(config.policies, [{ name: 'prompt-cap' }, { name: 'admission' }])
  t.match(config.limits, { bodyBytes: 33554432, firstByteTimeoutMs: 1800000, idleTimeoutMs: 300000, drainTimeoutMs: 30000 })
  t.equal(config.limits.totalTimeoutMs, undefined)
  t.match(config.server, { slots: 4, batchTokens: 256 })
  t.same([config.apiKeys, config.cors, config.allowRoutes], [[], undefined, []])
})

t.test('an error names its place, the value and what there is', async t => {
  t.match(trouble({ policies: [{ name: 'admission', slotz: 4 }] }), /^policies\[0\]\.slotz: no such option; there are .*slots, .*maxWaitMs.*\. Did you mean "slots"\?$/)
  t.match(trouble({ policies: [{ name: 'admission' }, { name: 'admision' }] }), /^policies\[1\]\.name: there is no policy "admision"; there are .*admission.* Did you mean "admission"\?$/)
  t.match(trouble({ policies: [{ name: 'admission' }, { name: 'admission' }] }), /^policies\[1\]\.name: .*twice/)
  t.match(trouble({ policies: [{ name: 'admission', maxWaitMs: -1 }] }), /^policies\[0\]\.maxWaitMs: must be >= 0, got -1$/)
  t.match(trouble({ policies: [{}] }), /^policies\[0\]\.name: is missing/)
  t.match(trouble({ lisen: {} }), /^lisen: no such option; there are listen, upstream, .*Did you mean "listen"\?$/)
  t.match(trouble({ listen: { port: 70000 } }), /^listen\.port: must be <= 65535, got 70000$/)
  t.match(trouble({ listen: { port: '80' } }), /^listen\.port: must be integer, got "80"$/)
  t.match(trouble({ log: { level: 'loud' } }), /^log\.level: must be one of debug, info, warn, error, silent, got "loud"$/)
  t.match(trouble({ policies: [{ name: 'admission', slots: 0 }] }), /^policies\[0\]\.slots: must be one of auto, integer >= 1, got 0$/)
  t.match(trouble({ policies: [{ name: 'admission', mode: 'ghost' }] }), /^policies\[0\]\.mode: must be one of on, shadow, got "ghost"$/)
  t.equal(trouble({ policies: [{ name: 'admission', mode: 'shadow', slots: 4 }] }), 'none')
  t.match(trouble({ upstream: {} }), /^upstream\.url: is missing/)
  t.match(trouble([]), /^the configuration: must be object, got \[\]$/)
})

t.test('caps by route and by caller: slips are errors at their place, and what is absent stays absent', async t => {
  const cap = (options: object, apiKeys: unknown[] = []): string => trouble({ policies: [{ name: 'prompt-cap', ...options }], apiKeys })
  t.match(cap({ perRoute: { '/v1/embedings': {} } }), /^policies\[0\]\.perRoute\["\/v1\/embedings"\]: no such option; there are .* Did you mean "\/v1\/embeddings"\?$/)
  t.match(cap({ perRoute: { '/v1/embeddings': { maxTurnz: 1 } } }), /^policies\[0\]\.perRoute\["\/v1\/embeddings"\]\.maxTurnz: no such option; there are maxPromptTokens, .* Did you mean "maxTurns"\?$/)
  t.match(cap({ perCaller: { 'a~b': { maxImages: -1 } } }), /^policies\[0\]\.perCaller\["a~b"\]\.maxImages: must be >= 0, got -1$/)
  t.match(cap({ maxOutputSeconds: 0 }), /^policies\[0\]\.maxOutputSeconds: must be > 0, got 0$/)
  t.match(cap({ whenTooLong: 'cut' }), /^policies\[0\]\.whenTooLong: must be one of reject, truncate, got "cut"$/)
  const keys = [{ name: 'ann', sha256: '0'.repeat(64) }]
  t.match(cap({ perCaller: { anne: { maxTurns: 1 } } }, keys), /^policies\[0\]\.perCaller\.anne: there is no API key of this name; there are ann\. Did you mean "ann"\?$/)
  t.equal(cap({ perCaller: { ann: { maxTurns: 1 } } }, keys), 'none')
  t.equal(cap({ perCaller: { '127.0.0.1': { maxTurns: 1 } } }), 'none', 'without keys callers are addresses')
  t.equal(cap({ perRoute: Object.fromEntries(callRoutes.map(({ path }) => [path, { maxTurns: 1 }])) }), 'none', 'every route of the chain')
  const policies = [{ name: 'prompt-cap', perRoute: { '/v1/embeddings': { maxTurns: 1 } }, perCaller: { ann: { maxImages: 1 } } }]
  t.same(checkConfig({ policies }, policyFactories).policies, policies, 'no defaults are written into them')
})

t.test('a public address wants keys', async t => {
  t.match(trouble({ listen: { host: '0.0.0.0' } }), /^listen\.host: 0\.0\.0\.0 can be reached from other machines, so apiKeys must have at least one entry.*sha256sum/)
  t.equal(trouble({ listen: { host: '0.0.0.0' }, apiKeys: [{ name: 'a', sha256: '0'.repeat(64) }] }), 'none')
  t.equal(trouble({ listen: { host: '127.0.0.2' } }), 'none')
  t.match(trouble({ apiKeys: [{ name: 'a', sha256: 'secret' }] }), /^apiKeys\[0\]\.sha256: must match pattern/)
})

t.test('keys: options, and what cannot be', async t => {
  const hash = (digit: string): string => digit.repeat(64)
  const [anna, bert] = [{ name: 'anna', sha256: hash('a') }, { name: 'bert', sha256: hash('b') }]
  t.same(checkConfig({ apiKeys: [anna, { ...bert, weight: 0.5, bestPriority: 2, usualPriority: 2, maxPlaces: 1, admin: true }] }, policyFactories).apiKeys, [
    { ...anna, weight: 1, bestPriority: 0, admin: false },
    { ...bert, weight: 0.5, bestPriority: 2, usualPriority: 2, maxPlaces: 1, admin: true }
  ])
  t.match(trouble({ apiKeys: [anna, bert, { ...anna, sha256: hash('c') }] }), /^apiKeys\[2\]\.name: "anna" is the name of apiKeys\[0\], too; .*give each key its own$/)
  t.match(trouble({ apiKeys: [anna, { ...bert, sha256: hash('a') }] }), /^apiKeys\[1\]\.sha256: is the same key as apiKeys\[0\] \("anna"\); .*give each entry its own key$/)
  t.match(trouble({ apiKeys: [anna, { ...bert, bestPriority: 3, usualPriority: 2 }] }), /^apiKeys\[1\]\.usualPriority: must be >= bestPriority \(3\), got 2; 0 is the best class/)
  t.match(trouble({ apiKeys: [{ ...anna, weight: 0 }] }), /^apiKeys\[0\]\.weight: must be > 0, got 0$/)
  t.match(trouble({ apiKeys: [{ ...anna, bestPriority: 10 }] }), /^apiKeys\[0\]\.bestPriority: must be <= 9, got 10$/)
  t.match(trouble({ apiKeys: [{ ...anna, usualPriority: 0.5 }] }), /^apiKeys\[0\]\.usualPriority: must be integer, got 0\.5$/)
  t.match(trouble({ apiKeys: [{ ...anna, maxPlaces: 0 }] }), /^apiKeys\[0\]\.maxPlaces: must be >= 1, got 0$/)
})

t.test('batching hands its calls on to admission, never the other way round', async t => {
  const of = (...names: readonly string[]): string => trouble({ policies: names.map(name => ({ name })) })
  t.match(of('prompt-cap', 'admission', 'batching'), /^policies\[2\]: batching stands after admission, .* put it right before admission$/)
  t.same(checkConfig({ policies: [{ name: 'batching' }, { name: 'admission' }] }, policyFactories).policies, [{ name: 'batching' }, { name: 'admission' }])
})

t.test('trusted proxies are addresses or ranges', async t => {
  const proxies = (...trustedProxies: unknown[]): string => trouble({ listen: { trustedProxies } })
  t.equal(proxies('127.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8', '::ffff:10.0.0.1', '192.0.2.7/32'), 'none')
  for (const bad of ['proxy.local', '', '10.0.0', '10.0.0.0/33', '10.0.0.0/0', '::/0', '::/129', '10.0.0.0/', '10.0.0.0/255.0.0.0', 'loopback', '10.0.0.1, 10.0.0.2', 'fe80::1%eth0']) {
    t.match(proxies('127.0.0.1', bad), /^listen\.trustedProxies\[1\]: must be an IP address or a range like 10\.0\.0\.0\/8 .*, got ".*"; names are not looked up$/, bad)
  }
  t.match(proxies(1), /^listen\.trustedProxies\[0\]: must be string, got 1$/)
})

t.test('origins are as browsers send them', async t => {
  const origins = (origins: unknown): string => trouble({ cors: { origins } })
  t.same(checkConfig({ cors: { origins: '*' } }, policyFactories).cors, { origins: '*', maxAgeSeconds: 600 })
  t.equal(origins(['https://chat.example.org', 'http://localhost:5173', 'http://[::1]:3000', 'chrome-extension://abc']), 'none')
  for (const bad of ['https://a.org/', 'https://a.org/chat', 'https://A.org', 'https://a.org:443', 'a.org', '*', 'https://*.a.org', 'null', '', 'https://user@a.org']) {
    t.match(origins(['http://a', bad]), /^cors\.origins\[1\]: must be an origin as browsers send it, .*, got ".*"; for the pages of all origins write "origins": "\*"$/, bad)
  }
  t.match(origins('https://a.org'), /^cors\.origins: must be one of \*, array, got "https:\/\/a\.org"$/)
  t.match(trouble({ cors: {} }), /^cors\.origins: is missing/)
})

t.test('options of a policy that contradict each other', async t => {
  for (const more of [{}, { slotChoice: 'server' }]) {
    t.match(trouble({ policies: [{ name: 'admission', slotFiles: {}, ...more }] }), /^policies\[0\]\.slotFiles: needs "slotChoice": "prefix"/)
  }
  t.equal(trouble({ policies: [{ name: 'admission', slotFiles: {}, slotChoice: 'prefix' }] }), 'none')
})

t.test('only routes that are blocked can be allowed', async t => {
  t.equal(trouble({ allowRoutes: ['/tools', '/cors-proxy'] }), 'none')
  t.match(trouble({ allowRoutes: ['/tools'], cors: { origins: '*' } }), /^allowRoutes: \/tools with cors and without apiKeys lets pages .* act on this server's host/)
  t.equal(trouble({ allowRoutes: ['/tools'], cors: { origins: '*' }, apiKeys: [{ name: 'ann', sha256: 'a'.repeat(64) }] }), 'none')
  t.match(trouble({ allowRoutes: ['/tools', '/slots'] }), /^allowRoutes\[1\]: must be one of \/tools, \/cors-proxy, got "\/slots"$/)
})

t.test('a bad file is named, with the line', async t => {
  const file = join(t.testdir({}), 'weir.json')
  t.throws(() => readConfigFile(file, policyFactories), { message: /^--config .*weir\.json: cannot be read \(ENOENT\)$/ })
  writeFileSync(file, '{\n  "listen": {},\n  "log" {}\n}')
  t.throws(() => readConfigFile(file, policyFactories), { message: /^--config .*: line 3, column 9: .*must be JSON$/ })
  writeFileSync(file, '{\n  "listen": {}')
  t.throws(() => readConfigFile(file, policyFactories), { message: /: line 2, column 15: the file ends here in the middle/ })
  writeFileSync(file, '{"policies":[{"name":"admission","slotz":1}]}')
  t.throws(() => readConfigFile(file, policyFactories), { message: /^--config .*weir\.json: policies\[0\]\.slotz: no such option/ })
})
