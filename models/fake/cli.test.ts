import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { fakeCommand } from './cli-options.js'
import { Exchange } from './testing-client.js'

t.test('the options of llama-server and its own', async t => {
  const line = '-m /models/tiny.gguf --host 127.0.0.1 --port 9 -np 2 -c 512 -t 1 -b 256 --cache-ram 0 --metrics --slots --prefill-ms-per-token 0.5'
  t.strictSame(fakeCommand(line.split(' '), { LLAMA_API_KEY: 'key', FAKE_PREFILL_MS_PER_TOKEN: '9', FAKE_DECODE_MS_PER_TOKEN: '3' }), {
    version: false,
    ignored: [],
    options: {
      port: 9,
      slots: 2,
      slotContextTokens: 256,
      batchTokens: 256,
      prefillMsPerToken: 0.5,
      decodeMsPerToken: 3,
      apiKey: 'key',
      alias: 'tiny.gguf'
    }
  })
  t.strictSame(fakeCommand(['--slots', '3', '-kvu', '--foo', '7'], {}), { version: false, ignored: ['--kvu', '--foo', '7'], options: { port: 0, slots: 3 } })
  t.throws(() => fakeCommand(['--answer-tokens', 'many'], {}), /--answer-tokens is "many"; give a number/)
  t.throws(() => fakeCommand(['--host', '0.0.0.0'], {}), /only listens on 127\.0\.0\.1/)
})

t.test('as a program: says where it listens, answers, ends on SIGTERM', async t => {
  const child = spawn(process.execPath, [fileURLToPath(new URL('cli.js', import.meta.url)), '--port', '0', '-np', '1'], { stdio: ['ignore', 'ignore', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  let url: string | undefined
  for await (const line of createInterface({ input: child.stderr })) {
    url = /listening on (\S+)/.exec(line)?.[1]
    if (url !== undefined) break
  }
  t.match(await new Exchange(`${url}/props`).json(), { total_slots: 1 })
  child.kill('SIGTERM')
  t.strictSame(await exited, [0, null])
})
