import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { program, temporaryFolder } from '../testing-programs.js'
import { installFromDebian } from './debian.js'
import type { DebianOptions } from './debian.js'
import { installationsFolder } from './installation.js'

const [triplet, loader, baseline] = process.arch === 'arm64'
  ? ['aarch64-linux-gnu', 'ld-linux-aarch64.so.1', 'armv8.0_1']
  : ['x86_64-linux-gnu', 'ld-linux-x86-64.so.2', 'x64']

interface Machine extends DebianOptions {
  readonly folder: string
  readonly progress: string[]
}

/** A machine with an apt-get that notes its calls and the configuration it was given, and writes one package for each name. */
async function machine (t: Test, { update = '', unpack = '' } = {}): Promise<Machine> {
  const folder = await temporaryFolder(t)
  const bin = join(folder, 'bin')
  await program(join(bin, 'apt-get'), '#!/bin/sh', `
echo "$@" >> ${folder}/calls
cat "$3" > ${folder}/apt.conf
cat "$(dirname "$3")/sources.list" >> ${folder}/sources
case "$4" in
update) ${update} :;;
download) shift 4; for name in "$@"; do : > "\${name}_1%3a0_all.deb"; done;;
esac`)
  await program(join(bin, 'dpkg'), '#!/bin/sh', unpack, `
lib="$3/usr/lib/${triplet}"
mkdir -p "$3/usr/bin" "$lib/ggml/backends0"
case "$2" in
*/libc6_*) printf '#!/bin/sh\\necho version: 0.7.0\\n' > "$lib/${loader}"; chmod 755 "$lib/${loader}";;
*/libggml0_*) : > "$lib/ggml/backends0/libggml-cpu-${baseline}.so";;
esac`)
  await mkdir(join(folder, 'apt'))
  await writeFile(join(folder, 'apt', 'sources.list'), 'deb http://mirror.example/debian bookworm main\ndeb http://second.example/apt x main\n')
  await writeFile(join(folder, 'keys.gpg'), '')
  const progress: string[] = []
  return {
    folder,
    progress,
    cache: join(folder, 'cache'),
    aptFolder: join(folder, 'apt'),
    keyrings: [join(folder, 'no.gpg'), join(folder, 'keys.gpg')],
    env: { PATH: `${bin}:/usr/bin:/bin` },
    onProgress: text => progress.push(text)
  }
}

const skip = process.platform !== 'linux' && 'Debian is Linux'

t.test('packages become an installation with its own loader', { skip }, async t => {
  const options = await machine(t)
  const server = await installFromDebian(options)
  const [name = ''] = await readdir(installationsFolder(options.cache))
  const lib = join(installationsFolder(options.cache), name, 'usr', 'lib', triplet)
  t.match(server, { from: 'Debian forky', version: '0.7.0', command: join(lib, loader), env: { GGML_BACKEND_PATH: join(lib, 'ggml', 'backends0', `libggml-cpu-${baseline}.so`) } })
  t.strictSame(server.argsBefore, ['--library-path', `${lib}:${lib}/llama`, join(installationsFolder(options.cache), name, 'usr', 'bin', 'llama-server')])
  t.equal(options.progress.length, 3)
  t.notOk((await readdir(join(installationsFolder(options.cache), name))).includes('apt'), 'apt’s own files are gone')
})

t.test('apt is kept from the system’s state and made to verify', { skip }, async t => {
  const options = await machine(t)
  await installFromDebian(options)
  const config = await readFile(join(options.folder, 'apt.conf'), 'utf8')
  t.match(await readFile(join(options.folder, 'sources'), 'utf8'), `deb [signed-by=${join(options.folder, 'keys.gpg')} arch=`)
  t.match(await readFile(join(options.folder, 'sources'), 'utf8'), '] http://mirror.example/debian forky main\n')
  t.match(config, `Dir::State "${installationsFolder(options.cache)}/.unfinished-`)
  t.match(config, `Dir::Cache "${installationsFolder(options.cache)}/.unfinished-`)
  t.match(config, 'Dir::State::status "/dev/null";')
  t.match(config, 'APT::Get::AllowUnauthenticated "false";')
  t.match(config, 'Acquire::AllowInsecureRepositories "false";')
  t.match(config, '#clear APT::Update::Post-Invoke;')
  t.notMatch(await readFile(join(options.folder, 'calls'), 'utf8'), 'allow')
})

t.test('every mirror is tried, and each failure named', { skip }, async t => {
  const options = await machine(t, { update: 'echo "E: no Release file" >&2; exit 100' })
  const error: Error = await installFromDebian(options).then(() => t.fail('installed'), thrown => thrown)
  t.match(error.message, /http:\/\/mirror\.example\/debian \(suite forky\): .*code 100: E: no Release file; http:\/\/second\.example\/apt \(suite forky\): /)
  t.strictSame(await readdir(installationsFolder(options.cache)), [])
})

t.test('packages that do not unpack', { skip }, async t => {
  const options = await machine(t, { unpack: 'echo damaged >&2; exit 2' })
  await t.rejects(installFromDebian(options), /code 2: damaged/)
  t.strictSame(await readdir(installationsFolder(options.cache)), [])
})

t.test('machines that are not for this', { skip }, async t => {
  const options = await machine(t)
  await t.rejects(installFromDebian({ ...options, env: { PATH: options.folder } }), { message: 'needs apt-get and dpkg, they are not on PATH' })
  await t.rejects(installFromDebian({ ...options, keyrings: ['/no/keys.gpg'] }), /needs Debian's archive keys.*no \/no\/keys\.gpg/)
  await t.rejects(installFromDebian({ ...options, aptFolder: '/no/apt' }), /no mirror in \/no\/apt\/sources\.list/)
})
