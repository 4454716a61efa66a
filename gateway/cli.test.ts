import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { startFakeServer } from '../models/fake/fake-server.js'

const cli = fileURLToPath(new URL('cli.js', import.meta.url))

function start (args: readonly string[]) {
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', data => { said.stdout += String(data) })
  child.stderr.on('data', data => { said.stderr += String(data) })
  const exited = once(child, 'close').then(([code]) => ({ code: Number(code), ...said }))
  return { child, said, exited }
}

t.test('mistakes get one clear line and an exit code: 2 for usage, 1 for faults', async t => {
  const busy = createServer()
  busy.listen(0, '127.0.0.1')
  await once(busy, 'listening')
  t.teardown(() => { busy.close() })
  const { port } = busy.address() as AddressInfo
  const file = join(t.testdir({}), 'weir.json')
  writeFileSync(file, '{"policies":[{"name":"admission","slotz":1}]}')
  const cases: ReadonlyArray<readonly [readonly string[], number, RegExp]> = [
    [['--prot', '1'], 2, /^error: unknown option '--prot'\n\(Did you mean --port\?\)\n$/],
    [['--upstream', 'nowhere'], 2, /^gateway: --upstream nowhere: is not a URL; give one like .*\n$/],
    [['--config', file], 2, /^gateway: --config .*weir\.json: policies\[0\]\.slotz: no such option; .*\n$/],
    [['--upstream', 'http://127.0.0.1:9', '--host', '0.0.0.0'], 2, /^gateway: listen\.host: 0\.0\.0\.0 can be reached .*\n$/],
    [['--upstream', 'http://127.0.0.1:9', '--port', String(port)], 1, new RegExp(`^gateway: port ${port} on 127\\.0\\.0\\.1 is in use; choose another with --port.*\\n$`)],
    [['--upstream', 'http://127.0.0.1:9', '--port', '0', '--log-file', join(file, 'weir.log')], 2, /^gateway: log\.file .*weir\.log: cannot be written \(\w+\); choose another with --log-file\n$/],
    [['--upstream', 'http://127.0.0.1:9', '--port', '0', '--log-file', '/proc/nowhere/weir.log'], 2, /^gateway: log\.file \/proc\/nowhere\/weir\.log: cannot be written \(\w+\); choose another with --log-file\n$/],
    [['--llama-server', '/nowhere/llama-server'], 1, /^gateway: --llama-server: \/nowhere\/llama-server .*\n$/]
  ]
  await Promise.all(cases.map(async ([args, code, message]) => {
    const ended = await start(args).exited
    t.equal(ended.code, code, args.join(' '))
    t.match(ended.stderr, message)
    t.equal(ended.stdout, '')
  }))
  t.match((await start(['--version']).exited), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ })
})

t.test('SIGTERM ends it with 0, and the log has its start, its calls and its end', async t => {
  const fake = await startFakeServer({})
  t.teardown(() => fake.close())
  const { child, said, exited } = start(['--upstream', fake.url, '--port', '0'])
  t.teardown(() => { child.kill('SIGKILL') })
  while (!said.stderr.includes('\n')) await once(child.stderr, 'data')
  const url = /^listening on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(said.stderr)?.[1]
  t.ok(url, said.stderr)
  const response = await fetch(`${url}/completion`, { method: 'POST', body: '{"prompt":"a","n_predict":1}' })
  await response.arrayBuffer()
  child.kill('SIGTERM')
  const ended = await exited
  t.equal(ended.code, 0)
  const lines = ended.stdout.trim().split('\n').map((line): unknown => JSON.parse(line))
  t.match(lines, [{ msg: 'listening', url, pid: child.pid }, { msg: 'call', id: response.headers.get('x-weir-id'), status: 200, outcome: 'complete' }, { msg: 'stopped' }])
})
