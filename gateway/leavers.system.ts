import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { startGatewayCli, startRealServer } from './testing-real.js'

const slots = 3
const clients = 80

interface Status { readonly inFlight: number, readonly policies: ReadonlyArray<{ readonly name: string, readonly gauges: Readonly<Record<string, number>> }> }

/** Deterministic in [0, 1): Knuth's multiplicative hash. */
const random = (n: number): number => (Math.imul(n + 1, 2654435761) >>> 0) / 2 ** 32

/** Leaves so long after the call was sent whole, who leaves before is no call; without a time it stays to the end. Resolves when the connection is closed. */
async function callAndLeave (url: string, body: string, afterMs?: number): Promise<'left' | 'stayed'> {
  return await new Promise(resolve => {
    let ended: 'left' | 'stayed' = 'left'
    const outgoing = request(url, { method: 'POST', agent: false, headers: { 'content-type': 'application/json' } })
    outgoing.on('close', () => { resolve(ended) })
    outgoing.on('error', () => {})
    if (afterMs !== undefined) outgoing.on('finish', () => { setTimeout(() => { outgoing.destroy() }, afterMs) })
    outgoing.on('response', response => {
      response.on('error', () => {})
      response.on('end', () => { ended = 'stayed' })
      response.resume()
    })
    outgoing.end(body)
  })
}

t.test('clients of the real llama-server that leave at random moments leave nothing behind', async t => {
  const server = await startRealServer(t, { slots })
  const gateway = await startGatewayCli(t, ['--upstream', server.url], { LLAMA_API_KEY: server.apiKey })
  const status = async (): Promise<Status> => await (await fetch(`${gateway.url}/weir/status`)).json() as Status
  const ended = await Promise.all(Array.from({ length: clients }, async (_, i) => {
    // Far sooner than it can answer, so that a queue forms on fast machines, too.
    await sleep(random(i) * 100)
    const content = `${i} ${'word '.repeat(400 + Math.floor(random(2000 + i) * 200))}`
    const body = JSON.stringify({ messages: [{ role: 'user', content }], max_tokens: 64, stream: true, ignore_eos: true, cache_prompt: false })
    // Every eighth stays, so that on the slowest machine, too, more than one slot is asked for.
    return await callAndLeave(`${gateway.url}/v1/chat/completions`, body, i % 8 === 0 ? undefined : Math.round(20 + random(1000 + i) * 1500))
  }))
  t.ok(ended.includes('left'), 'some left')
  t.ok(ended.every((end, i) => i % 8 !== 0 || end === 'stayed'), 'who stays is answered')
  const free = async (): Promise<number> => {
    const { inFlight, policies } = await status()
    const gauges = policies.find(policy => policy.name === 'admission')?.gauges ?? {}
    return inFlight + (gauges['taken'] ?? NaN) + (gauges['queued'] ?? NaN)
  }
  for (let tries = 0; tries < 3000 && await free() > 0; tries++) await sleep(100)
  t.equal(await free(), 0, 'no call in flight, no place taken, nobody queued')

  await gateway.stop()
  const records = gateway.records()
  t.equal(records.length, clients, 'every call has its record')
  const upstream = records.filter(record => record.admittedAtMs !== undefined)
  t.ok(upstream.length < clients, 'who left while queued never reached llama-server')
  await server.stop()
  const log = readFileSync(server.logPath, 'utf8')
  const launched = log.match(/slot launch_slot_.*processing task|launch_slot_: .*processing task/g)?.length ?? 0
  const released = log.match(/slot +release: .*stop processing/g)?.length ?? 0
  t.ok(launched > 0 && launched <= upstream.length, `llama-server's log: ${launched} tasks for ${upstream.length} calls passed on`)
  t.equal(released, launched, 'llama-server released every slot that it took')
  t.ok(mostAtOnce(log) <= slots, 'never more tasks at once than slots')
})

/** Most tasks between launch and release at a time, by llama-server's own log. */
function mostAtOnce (log: string): number {
  let now = 0
  let most = 0
  for (const line of log.split('\n')) {
    if (/launch_slot_: .*processing task/.test(line)) most = Math.max(most, ++now)
    if (/release: .*stop processing/.test(line)) now--
  }
  return most
}
