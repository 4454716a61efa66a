import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { temporaryFolder } from '../testing-programs.js'
import { aptMirrors, parseDeb822, parseList } from './apt-sources.js'

t.test('one-line format', async t => {
  t.strictSame(parseList(`
# deb http://commented.example/debian stable main
deb http://a.example/debian stable main contrib # remark
deb [arch=amd64 signed-by=/k.gpg] https://b.example/debian/ testing main
deb-src http://c.example/debian stable main
deb http://flat.example/ ./
`), [
    { uri: 'http://a.example/debian', suite: 'stable', components: ['main', 'contrib'] },
    { uri: 'https://b.example/debian/', suite: 'testing', components: ['main'] },
    { uri: 'http://flat.example/', suite: './', components: [] }
  ])
})

t.test('stanza format', async t => {
  t.strictSame(parseDeb822(`Types: deb deb-src
# a remark
URIs: http://a.example/debian
 http://b.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 URIs: http://no.example
 -----END PGP PUBLIC KEY BLOCK-----

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

types: deb-src
uris: http://source.example/debian
suites: bookworm
components: main
`).map(({ uri, suite }) => `${uri} ${suite}`), [
    'http://a.example/debian bookworm', 'http://a.example/debian bookworm-updates',
    'http://b.example/debian bookworm', 'http://b.example/debian bookworm-updates'
  ])
})

t.test('mirrors of a distribution, Debian’s first, each once', async t => {
  const folder = await temporaryFolder(t)
  await mkdir(join(folder, 'sources.list.d'))
  await writeFile(join(folder, 'sources.list'), `deb https://vendor.example/apt cloud main
deb http://m.example/debian/ bookworm main
deb http://m.example/debian bookworm-updates main
deb http://m.example/debian-security bookworm-security main
`)
  await writeFile(join(folder, 'sources.list.d', 'x.sources'), 'Types: deb\nURIs: http://other.example/debian-remote\nSuites: bookworm\nComponents: main\n')
  await writeFile(join(folder, 'sources.list.d', 'off.list.disabled'), 'deb http://off.example/debian bookworm main\n')
  await writeFile(join(folder, 'sources.list.d', 'node.list'), 'deb http://node.example/ nodistro contrib\n')
  t.strictSame(await aptMirrors(folder), ['http://m.example/debian', 'http://other.example/debian-remote', 'https://vendor.example/apt'])
  t.strictSame(await aptMirrors(join(folder, 'nowhere')), [])
})
