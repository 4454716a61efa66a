import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { findServer, ServerNotFoundError } from './find.js'
import { installationsFolder } from './install/installation.js'
import { program, temporaryFolder, versionProgram } from './testing-programs.js'

async function machine (t: Parameters<typeof temporaryFolder>[0]): Promise<{ folder: string, env: NodeJS.ProcessEnv, cached: string }> {
  const folder = await temporaryFolder(t)
  const cache = join(folder, 'cache')
  const cached = join(installationsFolder(cache), 'one')
  await mkdir(join(folder, 'bin'))
  return { folder, cached, env: { PATH: `${join(folder, 'empty')}:${join(folder, 'bin')}`, WEIR_CACHE: cache } }
}

async function installed (folder: string, version: string): Promise<void> {
  await versionProgram(join(folder, 'bin', 'llama-server'), version)
  await writeFile(join(folder, 'installation.json'), JSON.stringify({ platform: process.platform, arch: process.arch, source: 'test', program: 'bin/llama-server' }))
}

t.test('explicit path, LLAMA_SERVER, PATH, cache: in this order', async t => {
  const { folder, env, cached } = await machine(t)
  await installed(cached, 'cached')
  t.match(await findServer({ env }), { from: 'cache', version: 'cached', command: join(cached, 'bin', 'llama-server'), argsBefore: [] })
  const onPath = await versionProgram(join(folder, 'bin', 'llama-server'), 'on path')
  t.match(await findServer({ env }), { from: 'PATH', version: 'on path', command: onPath })
  const named = await versionProgram(join(folder, 'named'), 'named')
  t.match(await findServer({ env: { ...env, LLAMA_SERVER: named } }), { from: 'LLAMA_SERVER', version: 'named', command: named })
  const explicit = await versionProgram(join(folder, 'explicit'), '0.7.0 (build 11669, commit Debian)')
  t.match(await findServer({ explicit, env: { ...env, LLAMA_SERVER: named } }), { from: '--llama-server', version: '0.7.0 (build 11669, commit Debian)' })
})

t.test('a path the user named is used or is an error that names it', async t => {
  const { folder, env } = await machine(t)
  await versionProgram(join(folder, 'bin', 'llama-server'), 'on path')
  const missing = join(folder, 'missing')
  await t.rejects(findServer({ explicit: missing, env }), { message: `--llama-server: ${missing} does not exist.` })
  await t.rejects(findServer({ env: { ...env, LLAMA_SERVER: missing } }), { message: `LLAMA_SERVER: ${missing} does not exist.` })
  await t.rejects(findServer({ explicit: folder, env }), /is not a file/)
  const plain = join(folder, 'plain')
  await writeFile(plain, '')
  await t.rejects(findServer({ explicit: plain, env }), /plain is not executable/)
  const broken = await program(join(folder, 'broken'), '#!/bin/sh', 'echo libfoo.so: cannot open >&2; exit 127')
  await t.rejects(findServer({ explicit: broken, env }), /broken --version: ended with code 127: libfoo.so: cannot open/)
  const stranger = await program(join(folder, 'stranger'), '#!/bin/sh', 'echo hello')
  await t.rejects(findServer({ explicit: stranger, env }), /is it llama-server\? It said: hello/)
})

t.test('what does not run on PATH or in the cache is passed over and reported', async t => {
  const { folder, env, cached } = await machine(t)
  await program(join(folder, 'bin', 'llama-server'), '#!/bin/sh', 'exit 1')
  await installed(cached, 'cached')
  const tried: string[] = []
  t.match(await findServer({ env, onTry: what => tried.push(what) }), { version: 'cached' })
  t.match(tried, [/^PATH: .*bin\/llama-server --version: ended with code 1/, /^PATH: no llama-server that runs/])
})

t.test('a half or foreign installation is never found', async t => {
  const { env, cached } = await machine(t)
  await versionProgram(join(cached, 'bin', 'llama-server'), 'without manifest')
  await installed(join(cached, '..', '.unfinished-abc'), 'unfinished')
  const foreign = join(cached, '..', 'foreign')
  await installed(foreign, 'foreign')
  await writeFile(join(foreign, 'installation.json'), JSON.stringify({ platform: process.platform, arch: 's390x', source: 'test', program: 'bin/llama-server' }))
  const error = await findServer({ env }).then(() => undefined, thrown => thrown)
  t.type(error, ServerNotFoundError)
  t.match(error.message, /PATH: no llama-server[^]*cache: no installation[^]*--llama-server PATH or LLAMA_SERVER=PATH/)
})
