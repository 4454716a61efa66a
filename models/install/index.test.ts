import { join } from 'node:path'
import t from 'tap'
import { temporaryFolder, versionProgram } from '../testing-programs.js'
import type { ServerBinary } from '../types.js'
import { ensureServer } from './index.js'
import type { Source } from './index.js'

const binary: ServerBinary = { command: '/x', argsBefore: [], env: {}, from: 'second', version: '1' }

function failing (name: string): Source {
  return { name, install: () => Promise.reject(new Error(`${name} is down`, { cause: new Error('no route') })) }
}

t.test('what is there is used', async t => {
  const folder = await temporaryFolder(t)
  await versionProgram(join(folder, 'llama-server'), 'here')
  const progress: string[] = []
  const server = await ensureServer({ env: { PATH: folder, WEIR_CACHE: folder }, onProgress: text => progress.push(text), sources: [failing('first')] })
  t.match(server, { version: 'here', from: 'PATH' })
  t.strictSame(progress, [])
})

t.test('sources are tried in order until one works', async t => {
  const env = { PATH: '', WEIR_CACHE: await temporaryFolder(t) }
  const progress: string[] = []
  const second: Source = { name: 'second', install: async to => { t.match(to, { cache: env.WEIR_CACHE, env }); return binary } }
  t.equal(await ensureServer({ env, onProgress: text => progress.push(text), sources: [failing('first'), second, failing('third')] }), binary)
  t.strictSame(progress, [
    'no llama-server on this machine, installing one',
    'first: did not work, first is down: no route',
    'installed llama-server 1 from second'
  ])
})

t.test('the final error lists everything tried and what to do', async t => {
  const env = { PATH: '', WEIR_CACHE: await temporaryFolder(t) }
  await t.rejects(ensureServer({ env, onProgress: () => {}, sources: [failing('first'), failing('second')] }), {
    message: /PATH: no llama-server[^]*cache: no installation[^]*first: first is down: no route[^]*second: second is down[^]*set LLAMA_SERVER/
  })
})

t.test('a wrong explicit path is no reason to install', async t => {
  const env = { PATH: '', WEIR_CACHE: await temporaryFolder(t) }
  const never: Source = { name: 'never', install: () => { t.fail('installed'); return Promise.resolve(binary) } }
  await t.rejects(ensureServer({ env, explicit: '/no/server', onProgress: () => {}, sources: [never] }), /--llama-server: \/no\/server does not exist/)
  await t.rejects(ensureServer({ env: { ...env, LLAMA_SERVER: '/no/server' }, onProgress: () => {}, sources: [never] }), /LLAMA_SERVER: \/no\/server does not exist/)
})
