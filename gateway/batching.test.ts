import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import type { Policy } from '../policies/contract.js'
import { policyFactories } from '../policies/index.js'
import { TurnClock } from './testing-clock.js'
import { startRealServer } from './testing-real.js'
import { registryOf, startTestGateway } from './testing.js'

/** Behind batching: the call that is there already stays until others come by, so that those are together whoever was faster. */
class Gate {
  holds = false
  #others = 0

  readonly policy: Policy = async (call, next) => {
    if (Reflect.get(Object(call.body.json), 'user') !== 'first') this.#others++
    else {
      const before = this.#others
      this.holds = true
      while (this.#others === before) await turn()
      this.holds = false
    }
    return await next(call, 'through')
  }
}

/** Gateway and llama-server are both real: what a caller gets of a joined call is, byte for byte, what it gets alone. */
t.test('joined embeddings are those of each input alone, digit for digit, with the usage of each caller', async t => {
  const server = await startRealServer(t, { slots: 4, extraArgs: ['--embeddings', '--pooling', 'mean'] })
  const gate = new Gate()
  const gateway = await startTestGateway({
    upstream: server.url,
    apiKey: server.apiKey,
    pollIntervalMs: 2_000,
    clock: new TurnClock(),
    registry: { ...policyFactories, ...registryOf({ gate: gate.policy }) },
    config: { policies: [{ name: 'batching', when: 'always', windowMs: 100 }, { name: 'gate' }, { name: 'admission' }] }
  })
  t.teardown(() => gateway.stop())
  const ask = async (url: string, path: string, body: object): Promise<{ readonly status: number, readonly text: string }> => {
    const answer = await fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${server.apiKey}` }, body: JSON.stringify(body) })
    return { status: answer.status, text: await answer.text() }
  }
  const inputs: readonly unknown[] = ['the quick', 'brown fox jumps over', ['a lazy', 'dog <s>and ä 你好 🙂'], [3, 260, 300], [[7, 8], [9]], ['mixed', [11, 12]], ' leading space', '"quoted" [1,2] {"index":5}']
  const long = 'word '.repeat(300)
  const cases: ReadonlyArray<readonly [path: string, bodies: readonly object[]]> = [
    ['/v1/embeddings', inputs.map(input => ({ input }))],
    ['/v1/embeddings', inputs.map(input => ({ input, model: 'my "model" ä', encoding_format: 'base64' }))],
    ['/embedding', inputs.map(content => ({ content }))],
    ['/embeddings', inputs.map(input => ({ input }))],
    // Longer than a physical batch, a token that there is not: llama-server refuses the call that has one of them in it.
    ['/v1/embeddings', [{ input: 'the' }, { input: long }, { input: 'fox' }, { input: [[99_999_999]] }]]
  ]
  for (const [path, bodies] of cases) {
    const direct = []
    for (const body of bodies) direct.push(await ask(server.url, path, body))
    const first = gateway.records.length
    // One that is there already: nobody waits for others on an idle server.
    const ahead = ask(gateway.url, path, { ...bodies[0], user: 'first' })
    while (!gate.holds) await turn()
    const through = await Promise.all(bodies.map(body => ask(gateway.url, path, body)))
    await ahead
    t.same(through, direct, path)
    await gateway.recorded(first + bodies.length + 1)
    const decided = gateway.records.slice(first).map(({ decisions }) => decisions[0])
    t.equal(decided.filter(decision => decision?.facts['batchCalls'] !== undefined || decision?.facts['askedAgain'] !== undefined).length, bodies.length, `${path}: ${decided.map(decision => `${decision?.verdict} ${decision?.reason}`).join(', ')}`)
    const refused = direct.some(({ status }) => status !== 200)
    t.equal(decided.filter(decision => decision?.facts['askedAgain'] === 1).length, refused ? bodies.length : 0, `${path}: asked again only where one was refused`)
  }
  t.same(gateway.warnings, [])
})
