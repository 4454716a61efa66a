import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { readdir, readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { create } from 'tar'
import t from 'tap'
import type { Test } from 'tap'
import { program, temporaryFolder, versionProgram } from '../testing-programs.js'
import { installFromArchive, pinnedBuild } from './archive.js'
import { installationsFolder } from './installation.js'

const platform = `${process.platform === 'darwin' ? 'macos' : 'ubuntu'}-${process.arch}`
const name = `llama-${pinnedBuild}-bin-${platform}.tar.gz`
const limits = { connectMs: 5000, idleMs: 10_000, totalMs: 20_000 }

async function archive (t: Test, programName = 'llama-server'): Promise<Buffer> {
  const folder = await temporaryFolder(t)
  await versionProgram(join(folder, 'content', 'build', 'bin', programName), '4711 (abc)')
  await program(join(folder, 'content', 'build', 'bin', 'llama-server-not'))
  await create({ file: join(folder, 'a.tar.gz'), gzip: true, cwd: join(folder, 'content') }, ['build'])
  return await readFile(join(folder, 'a.tar.gz'))
}

interface Release {
  readonly digest?: string | null
  readonly name?: string
  readonly release?: RequestListener
  readonly file: Buffer | RequestListener
}

/** Stands in for GitHub; the download goes by a redirect, as GitHub's does. */
async function releases (t: Test, { file, release, ...asset }: Release): Promise<string> {
  const server = createServer((request, response) => {
    if (request.url === `/r/tags/${pinnedBuild}` && release !== undefined) return release(request, response)
    if (request.url === `/r/tags/${pinnedBuild}`) {
      const other = { name: `llama-${pinnedBuild}-bin-ubuntu-vulkan-x64.tar.gz`, browser_download_url: 'http://127.0.0.1/no', digest: null }
      const digest = `sha256:${createHash('sha256').update(Buffer.isBuffer(file) ? file : '').digest('hex')}`
      return response.end(JSON.stringify({ assets: [other, { name, browser_download_url: `${url}/download`, digest, ...asset }] }))
    }
    if (request.url === '/download') return response.writeHead(302, { location: `${url}/file` }).end()
    if (request.url === '/file') return Buffer.isBuffer(file) ? response.end(file) : file(request, response)
    response.writeHead(404).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.closeAllConnections(); server.close() })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return `${url}/r/`
}

t.test('a good archive', async t => {
  const cache = await temporaryFolder(t)
  const progress: string[] = []
  const server = await installFromArchive({ cache, releasesUrl: await releases(t, { file: await archive(t) }), limits, onProgress: text => progress.push(text) })
  t.match(server, { version: '4711 (abc)', from: `archive ${pinnedBuild}`, argsBefore: [], env: {} })
  t.equal(server.command, join(installationsFolder(cache), `archive-${pinnedBuild}-${platform}`, 'build', 'bin', 'llama-server'))
  t.match(progress, [/^asking 127\.0\.0\.1:\d+ for llama\.cpp b\d+$/, /^downloading llama-.*: 0\.0 of 0\.0 MB$/, 'unpacking llama-server'])
  t.notOk((await readdir(join(installationsFolder(cache), `archive-${pinnedBuild}-${platform}`))).some(file => file.endsWith('.gz')))
})

t.test('whatever goes wrong is said, and nothing stays behind', async t => {
  const file = await archive(t)
  const cases: ReadonlyArray<[what: string, release: Release, message: RegExp, limits?: typeof limits]> = [
    ['a wrong checksum', { file, digest: `sha256:${'0'.repeat(64)}` }, /\/download: its SHA-256 is [0-9a-f]{64}, but should be 0{64}/],
    ['no checksum', { file, digest: null }, /no SHA-256 for llama-.*cannot be verified/],
    ['a checksum of another kind', { file, digest: 'md5:00' }, /no SHA-256 for llama-/],
    ['no such file in the release', { file, name: 'other.tar.gz' }, /the release has no file llama-/],
    ['no such release', { file, release: (_, response) => response.writeHead(404).end() }, /tags\/b\d+: status 404/],
    ['an answer that is not JSON', { file, release: (_, response) => response.end('<html>') }, /tags\/b\d+: .*JSON/],
    ['no such download', { file: (_, response) => response.writeHead(404).end() }, /\/download: status 404/],
    ['a cut download', { file: (_, response) => { response.writeHead(200, { 'content-length': 1000 }); response.write('x'.repeat(100), () => response.destroy()) } }, /\/download: .*terminated/],
    ['an archive without llama-server', { file: await archive(t, 'llama-cli') }, /no llama-server in it/],
    ['something else than an archive', { file: Buffer.from('hello') }, /./],
    ['a server that never answers', { file, release: () => {} }, /tags\/b\d+: .*Headers Timeout/, { ...limits, idleMs: 300 }],
    ['a download that stalls', { file: (_, response) => { response.write('x') } }, /Timeout/, { ...limits, idleMs: 300 }],
    ['a download that takes too long', { file: (_, response) => { response.write('x') } }, /\/(download|b\d+): .*due to timeout/, { ...limits, totalMs: 200 }]
  ]
  for (const [what, release, message, limitsOfCase = limits] of cases) {
    await t.test(what, async t => {
      const cache = await temporaryFolder(t)
      await t.rejects(installFromArchive({ cache, releasesUrl: await releases(t, release), limits: limitsOfCase, onProgress: () => {} }), message)
      t.strictSame(await readdir(installationsFolder(cache)).catch(() => []), [])
    })
  }
})

t.test('nobody listens', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  await t.rejects(installFromArchive({ cache: await temporaryFolder(t), releasesUrl: `http://127.0.0.1:${port}`, limits, onProgress: () => {} }), /ECONNREFUSED/)
})
