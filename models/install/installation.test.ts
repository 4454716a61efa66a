import { mkdir, readdir, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { program, temporaryFolder, versionProgram } from '../testing-programs.js'
import { finishedInstallations, install, installationsFolder, installedServer } from './installation.js'
import type { Installation } from './installation.js'

const manifest: Installation = { platform: process.platform, arch: process.arch, source: 'test', program: 'bin/llama-server' }

async function good (folder: string, version = '1'): Promise<Installation> {
  await versionProgram(join(folder, 'bin', 'llama-server'), version)
  return manifest
}

t.test('an installation appears at once and whole', async t => {
  const cache = await temporaryFolder(t)
  const server = await install(cache, 'one', async folder => {
    t.strictSame(await finishedInstallations(cache), [])
    return await good(folder)
  })
  t.match(server, { from: 'test', version: '1', command: join(installationsFolder(cache), 'one', 'bin', 'llama-server'), env: {} })
  t.strictSame(await readdir(installationsFolder(cache)), ['one'])
  t.strictSame(await finishedInstallations(cache), [join(installationsFolder(cache), 'one')])
})

t.test('a failed installation leaves nothing behind', async t => {
  const cache = await temporaryFolder(t)
  await t.rejects(install(cache, 'one', async folder => {
    await good(folder)
    throw new Error('cut off')
  }), { message: 'cut off' })
  await t.rejects(install(cache, 'one', async folder => {
    await program(join(folder, 'bin', 'llama-server'), '#!/bin/sh', 'echo needs another libc >&2; exit 1')
    return manifest
  }), /needs another libc/)
  t.strictSame(await readdir(installationsFolder(cache)), [])
})

t.test('two at the same time: the second uses what the first one finished', async t => {
  const cache = await temporaryFolder(t)
  let release = (): void => {}
  const held = new Promise<void>(resolve => { release = resolve })
  const slow = install(cache, 'one', async folder => { await held; return await good(folder, 'slow') })
  t.match(await install(cache, 'one', folder => good(folder, 'fast')), { version: 'fast' })
  const inode = (await stat(join(installationsFolder(cache), 'one'))).ino
  release()
  t.match(await slow, { version: 'fast' })
  t.equal((await stat(join(installationsFolder(cache), 'one'))).ino, inode)
  t.strictSame(await readdir(installationsFolder(cache)), ['one'])
})

t.test('one that no longer runs is replaced', async t => {
  const cache = await temporaryFolder(t)
  await install(cache, 'one', folder => good(folder, 'old'))
  await program(join(installationsFolder(cache), 'one', 'bin', 'llama-server'), '#!/bin/sh', 'exit 1')
  t.match(await install(cache, 'one', folder => good(folder, 'new')), { version: 'new' })
})

t.test('what a killed installation left is removed after an hour, not while somebody may be at it', async t => {
  const cache = await temporaryFolder(t)
  const [old, fresh] = ['old', 'fresh'].map(name => join(installationsFolder(cache), `.unfinished-${name}`)) as [string, string]
  await mkdir(old, { recursive: true })
  await mkdir(fresh)
  const longAgo = new Date(Date.now() - 2 * 60 * 60 * 1000)
  await utimes(old, longAgo, longAgo)
  await install(cache, 'one', good)
  t.strictSame((await readdir(installationsFolder(cache))).sort(), ['.unfinished-fresh', 'one'])
})

t.test('loader, libraries and CPU backend', { skip: process.platform !== 'linux' && 'reads /proc/cpuinfo' }, async t => {
  const folder = await temporaryFolder(t)
  const baseline = process.arch === 'arm64' ? 'armv8.0_1' : 'x64'
  const loaded = { ...manifest, program: 'p', loader: 'lib/ld.so', libraryFolders: ['lib', 'lib/llama'], backendFolder: 'lib/ggml' }
  await mkdir(join(folder, 'lib', 'ggml'), { recursive: true })
  await program(join(folder, 'lib', 'ld.so'), '#!/bin/sh', 'echo "version: $* $GGML_BACKEND_PATH"')
  const fill = async (to: string): Promise<Installation> => {
    await mkdir(join(to, 'lib'), { recursive: true })
    await program(join(to, 'lib', 'ld.so'), '#!/bin/sh', 'echo "version: $* $GGML_BACKEND_PATH"')
    await program(join(to, 'lib', 'ggml', `libggml-cpu-${baseline}.so`))
    await program(join(to, 'lib', 'ggml', 'libggml-cpu-unheard-of.so'))
    return loaded
  }
  const server = await install(folder, 'one', fill)
  const root = join(installationsFolder(folder), 'one')
  const backend = join(root, 'lib', 'ggml', `libggml-cpu-${baseline}.so`)
  t.match(server, { command: join(root, 'lib/ld.so'), argsBefore: ['--library-path', `${root}/lib:${root}/lib/llama`, `${root}/p`], env: { GGML_BACKEND_PATH: backend } })
  t.equal(server.version, `--library-path ${root}/lib:${root}/lib/llama ${root}/p --version ${backend}`)
  t.match(await installedServer(root, 'cache'), { from: 'cache' })
  await t.rejects(install(folder, 'two', async to => {
    await fill(to)
    return { ...loaded, backendFolder: 'lib' }
  }), /none of its CPU backends \(\) fits/)
})
