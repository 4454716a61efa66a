import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { findGroupHost } from './index.js'

const host = await findGroupHost()
const program = fileURLToPath(new URL('../../gateway/cli.js', import.meta.url))

async function until (holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!await holds()) await sleep(20)
}

t.test('the kernel kills the gateway’s llama-server for want of memory: it says so, refuses, and serves again', { skip: !host.ok && `${host.why}. To mend: ${host.mend}` }, async t => {
  if (!host.ok) return
  const group = await host.create('gateway-oom', ['memory'])
  t.teardown(() => group.remove())
  await group.set('memory.max', String(512 * 2 ** 20))
  const inside = (...command: string[]) => {
    const [first = '', ...args] = [...group.enter, ...command]
    return spawn(first, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  }
  const gateway = inside(process.execPath, program, '--port', '0', '--model', 'tiny', '--slots', '1', '--threads', '1')
  t.teardown(() => gateway.kill('SIGKILL'))
  const ended = once(gateway, 'close')
  let said = ''
  gateway.stderr.on('data', data => { said += String(data) })
  await until(() => /^listening on \S+$/m.test(said) || gateway.exitCode !== null)
  const url = /^listening on (\S+)$/m.exec(said)?.[1]
  const ask = async (): Promise<Response> => await fetch(`${url}/completion`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"prompt":"the of","n_predict":1}' })
  t.equal((await ask()).status, 200, said)

  // The first that the kernel takes; after it the hog, which is the greatest by then.
  const server = (await group.processes()).find(pid => pid !== gateway.pid) ?? NaN
  writeFileSync(`/proc/${server}/oom_score_adj`, '1000')
  const hog = inside('tail', '/dev/zero')
  t.teardown(() => hog.kill('SIGKILL'))
  await until(() => said.includes('starting it again'))
  const refused = await ask()
  t.ok([502, 503].includes(refused.status), String(refused.status))
  t.ok(Number(refused.headers.get('retry-after')) >= 1)
  t.match(said, /llama-server ended: killed by the kernel for want of memory \(SIGKILL; oom_kill in \S+ went from \d+ to \d+\): give it more memory, a smaller model/)
  t.ok((group.counters()['memory.events.oom_kill'] ?? 0) >= 1, 'the group counted it, too')

  await until(async () => (await ask()).status === 200)
  t.match(said, /llama-server is ready again/)
  gateway.kill('SIGTERM')
  t.strictSame(await ended, [0, null])
})
