import t from 'tap'
import { startRealServer } from './testing-real.js'
import { post, startTestGateway } from './testing.js'

const calls = 200

/** Deterministic in [0, 1): Knuth's multiplicative hash. */
const random = (n: number): number => (Math.imul(n + 1, 2654435761) >>> 0) / 2 ** 32

/**
 * The real server as the judge: each body is asked through the gateway, and straight of the server. Prompts are evaluated whole and one at a time: only then does
 * llama-server itself give the same floats twice.
 */
t.test(`none of ${calls} answers is another than the real server's own`, async t => {
  const server = await startRealServer(t, { slots: 1 })
  const gateway = await startTestGateway({
    upstream: server.url, apiKey: server.apiKey, pollIntervalMs: 2_000, config: { policies: [{ name: 'response-cache' }, { name: 'single-flight' }, { name: 'admission' }] }
  })
  t.teardown(() => gateway.stop())
  const texts = ['time and again', 'time and  again', 'Time and again', 'caf\u00e9', 'cafe\u0301', 'the quick brown fox']
  const settings = [{ temperature: 0 }, { temperature: 0, top_k: 1 }, { temperature: 0, repeat_penalty: 1.5 }, { temperature: 0.7, seed: 1 }, { temperature: 0.7, seed: 2 }, { temperature: 0.7, seed: 1, top_p: 0.5 }, { temperature: 0, logit_bias: [[300, 50]] }, { seed: 3 }]
  const routes: ReadonlyArray<readonly [path: string, of: (text: string) => object]> = [
    ['/v1/chat/completions', text => ({ messages: [{ role: 'user', content: text }], max_tokens: 6 })],
    ['/v1/completions', text => ({ prompt: text, max_tokens: 6 })],
    ['/completion', text => ({ prompt: text, n_predict: 6 })]
  ]
  const own = new Map<string, string>()
  let hits = 0
  for (let index = 0; index < calls; index++) {
    const pick = <T>(items: readonly T[], turn: number): T => items[Math.floor(random(index * 7 + turn) * items.length)]!
    const [path, of] = pick(routes, 1)
    const stream = random(index * 7 + 4) < 0.5
    const json = { ...of(pick(texts, 3)), ...pick(settings, 2), ignore_eos: true, cache_prompt: false, ...(stream ? { stream } : {}) }
    const entries = Object.entries(json)
    const turned = Object.fromEntries([...entries.slice(index % entries.length), ...entries.slice(0, index % entries.length)])
    const answer = await post(gateway.url + path, JSON.stringify(turned, undefined, index % 3))
    if (answer.headers.get('x-weir-cache') === 'hit') hits++
    t.equal(answer.status, 200)
    const key = path + JSON.stringify(json)
    const expected = own.get(key) ?? textOf((await post(server.url + path, json, { authorization: `Bearer ${server.apiKey}` })).bytes)
    own.set(key, expected)
    if (textOf(answer.bytes) !== expected) t.fail(`${key}: ${textOf(answer.bytes)} instead of ${expected}`)
  }
  t.ok(hits > 20, `${hits} hits`)
})

/** Texts of all choices, whole or in pieces. */
function textOf (bytes: Buffer): string {
  const body = bytes.toString()
  const events = body.startsWith('data: ') ? body.split('\n\n').filter(event => event.startsWith('data: {')).map(event => event.slice(6)) : [body]
  const texts: string[] = []
  for (const event of events) {
    const parsed = JSON.parse(event) as { content?: string, choices?: Array<{ index: number, text?: string, message?: { content: string }, delta?: { content?: string | null } }> }
    for (const { index, text, message, delta } of parsed.choices ?? [{ index: 0, text: parsed.content ?? '' }]) texts[index] = (texts[index] ?? '') + (text ?? message?.content ?? delta?.content ?? '')
  }
  return JSON.stringify(texts)
}
