import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { join } from 'node:path'
import t from 'tap'
import { kernelDepends } from './kernel.js'
import { dependsOf, loadOrder, moduleName, wantedModules } from './kernel-modules.js'
import { unpackModules } from './module-files.js'

const moduleFile = (depends: string): Buffer => Buffer.from(`\x7fELF\xff\0license=GPL\0depends=${depends}\0name=x\0`, 'latin1')

t.test('kernel packages in what apt-cache depends says', async t => {
  t.strictSame(kernelDepends('linux-image-amd64\n  Depends: linux-image-6.1.0-56-amd64\n'), ['linux-image-6.1.0-56-amd64'])
  t.strictSame(kernelDepends(`linux-image-6.8.0-31-generic
  Depends: kmod
 |Depends: linux-base
  Depends: linux-modules-6.8.0-31-generic
  Recommends: grub-pc
  Suggests: linux-image-9-other
`), ['linux-modules-6.8.0-31-generic'])
  t.strictSame(kernelDepends(''), [])
})

t.test('what a module needs is read from it', async t => {
  t.strictSame(dependsOf(moduleFile('virtio,virtio-ring')), ['virtio', 'virtio_ring'])
  t.strictSame(dependsOf(moduleFile('')), [])
  t.strictSame(dependsOf(Buffer.from('no module')), [])
  t.equal(moduleName('kernel/net/9p/9pnet-virtio.ko.zst'), '9pnet_virtio')
})

t.test('load order: each module once, after all it needs', async t => {
  const depends = new Map([['virtio', ['virtio_ring']], ['virtio_ring', []], ['virtio_pci', ['virtio_ring', 'virtio']], ['virtio_blk', ['virtio']]])
  t.strictSame(loadOrder(['virtio_pci', 'virtio_blk'], depends), ['virtio_ring', 'virtio', 'virtio_pci', 'virtio_blk'])
  t.throws(() => loadOrder(['overlay'], depends), { message: 'kernel module overlay is not there' })
  t.throws(() => loadOrder(['a'], new Map([['a', ['b']]])), { message: 'kernel module b, which a needs, is not there' })
  t.throws(() => loadOrder(['a'], new Map([['a', ['b']], ['b', ['a']]])), { message: 'kernel modules need each other: a → b → a' })
})

t.test('modules of an unpacked package: packed or not, what is built in is left out', async t => {
  const unpacked = t.testdir()
  const folder = join(unpacked, 'usr/lib/modules/6.0/kernel')
  const to = join(unpacked, 'to')
  for (const path of [folder, to]) await mkdir(path, { recursive: true })
  const [builtIn, ...others] = wantedModules
  await writeFile(join(folder, '..', 'modules.builtin'), `kernel/crypto/${builtIn}.ko\n`)
  for (const name of others) await writeFile(join(folder, `${name}.ko`), moduleFile('shared-part'))
  await writeFile(join(folder, 'shared-part.ko.gz'), gzipSync(moduleFile('')))
  t.strictSame(await unpackModules(unpacked, '6.0', to), ['shared_part', ...others].map(name => `${name}.ko`))
  t.ok((await readFile(join(to, 'shared_part.ko'))).equals(moduleFile('')))
  await t.rejects(unpackModules(unpacked, '6.1', to), /has no lib\/modules\/6\.1/)
})
