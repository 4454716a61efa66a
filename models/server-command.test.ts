import t from 'tap'
import { serverCommand } from './server-command.js'
import type { ServerOptions } from './types.js'

const options: ServerOptions = {
  binary: { command: '/x/ld.so', argsBefore: ['--library-path', '/x/lib', '/x/llama-server'], env: { GGML_BACKEND_PATH: '/x/b.so' }, from: 'cache', version: '1' },
  model: { name: 'm', path: '/m.gguf', bytes: 1, sha256: '', parameters: 1, quantisation: 'Q8_0', synthetic: true },
  slots: 4,
  slotContextTokens: 512,
  threads: 1,
  batchTokens: 256,
  logPath: '/log'
}
const place = { port: 1234, apiKey: 'secret', wrappers: [['setpriv', '--pdeathsig', 'KILL'], ['taskset', '-c', '0,1']] }

t.test('the command line', async t => {
  const { command, args, shown, env } = serverCommand({ ...options, extraArgs: ['--mlock'] }, place, { HOME: '/h', LLAMA_ARG_THREADS: '7', LLAMA_API_KEY: 'old' })
  t.strictSame([command, ...args].join(' '), 'setpriv --pdeathsig KILL taskset -c 0,1 /x/ld.so --library-path /x/lib /x/llama-server ' +
    '-m /m.gguf --host 127.0.0.1 --port 1234 -np 4 -c 2048 -t 1 -b 256 --cache-ram 0 --metrics --slots --mlock')
  t.strictSame(shown, ['env', 'GGML_BACKEND_PATH=/x/b.so', 'LLAMA_API_KEY=***', command, ...args])
  t.strictSame(env, { HOME: '/h', GGML_BACKEND_PATH: '/x/b.so', LLAMA_API_KEY: 'secret' })
  t.match(serverCommand({ ...options, cacheRamMib: 100 }, place, {}).args.join(' '), / --cache-ram 100 /)
  t.equal(serverCommand(options, { ...place, wrappers: [] }, {}).command, '/x/ld.so')
})

t.test('what is refused', async t => {
  t.throws(() => serverCommand({ ...options, cacheRamMib: -1 }, place, {}), /cacheRamMib is -1, but must be a whole number of at least 0/)
  t.throws(() => serverCommand({ ...options, slots: 0 }, place, {}), /slots is 0, but must be a whole number of at least 1/)
  t.throws(() => serverCommand({ ...options, batchTokens: 1.5 }, place, {}), /batchTokens is 1.5/)
  t.throws(() => serverCommand({ ...options, extraArgs: ['--mlock', '--host=0.0.0.0'] }, place, {}), /may not contain --host=0.0.0.0/)
})
