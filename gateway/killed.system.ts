import { readFileSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { startGatewayCli } from './testing-real.js'

const readText = (path: string): string => {
  try { return readFileSync(path, 'utf8') } catch { return '' }
}

/** Its llama-server: the process that the gateway started. */
function serverOf (gatewayPid: number): number {
  const child = readdirSync('/proc').filter(name => /^\d+$/.test(name)).find(pid => {
    const stat = readText(`/proc/${pid}/stat`)
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === gatewayPid && readText(`/proc/${pid}/cmdline`).includes('--port')
  })
  return Number(child)
}

/**
 * The connection is broken after the last event, so that no client takes the answer for whole. Has to be reading before that: what lies
 * unread in a body when it breaks, fetch throws away (a stream's error empties its queue: WHATWG Streams, ReadableStreamDefaultControllerError).
 */
async function textUntilCut ({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of body ?? []) chunks.push(chunk)
  } catch {
    return Buffer.concat(chunks).toString()
  }
  throw new Error('the stream ended as if it were whole')
}

async function until (holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!await holds()) await sleep(20)
}

t.test('its llama-server is killed in the middle of calls: clients are told, the log is, and it serves again', async t => {
  const gateway = await startGatewayCli(t, ['--model', 'tiny', '--slots', '2', '--threads', '1'])
  const ask = async (body: object): Promise<Response> => await fetch(`${gateway.url}/completion`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ prompt: 'the of', ignore_eos: true, ...body }) })
  t.equal((await ask({ n_predict: 1 })).status, 200)

  const [whole, stream] = [ask({ n_predict: 1500 }), await ask({ n_predict: 1500, stream: true })]
  let over = false
  whole.finally(() => { over = true })
  const inFlight = async (): Promise<number> => (await (await fetch(`${gateway.url}/weir/status`)).json() as { inFlight: number }).inFlight
  await until(async () => over || await inFlight() === 2)
  t.notOk(over, 'the answer is long enough to be cut')
  const streamed = textUntilCut(stream)
  const before = serverOf(gateway.pid)
  process.kill(before, 'SIGKILL')
  // Asked at once: it is started again after a second.
  let refused = await ask({ n_predict: 1 })
  // Whoever finds it out is told by another status.
  while (refused.status === 502) refused = await ask({ n_predict: 1 })
  t.equal(refused.status, 503)
  t.ok(Number(refused.headers.get('retry-after')) >= 1)
  t.equal((await fetch(`${gateway.url}/readyz`)).status, 503)

  const cut = await whole
  t.equal(cut.status, 502)
  t.ok(Number(cut.headers.get('retry-after')) >= 1)
  t.match(await cut.text(), /broke the connection before it answered .*; try again later/)
  t.match(await streamed, /"error":.*llama-server broke off in the middle of the answer/s)

  await until(async () => (await ask({ n_predict: 1 })).status === 200)
  t.not(serverOf(gateway.pid), before, 'another one')
  t.match(gateway.said(), /^gateway: llama-server ended: SIGKILL, sent by another program: the kernel counted no kill .*the end of its log .*starting it again; .*llama-server is ready again\n$/s)
  await until(async () => await inFlight() === 0)
  const last = serverOf(gateway.pid)
  t.equal(await gateway.stop(), 0)
  t.equal(readText(`/proc/${last}/cmdline`), '', 'nothing is left')
})

t.test('ended while its llama-server is being started again, it leaves nothing behind', async t => {
  const gateway = await startGatewayCli(t, ['--model', 'tiny', '--slots', '1', '--threads', '1'])
  process.kill(serverOf(gateway.pid), 'SIGKILL')
  await until(() => gateway.said().includes('starting it again'))
  t.equal(await gateway.stop(), 0)
  t.notMatch(gateway.said(), /ready again/)
})
