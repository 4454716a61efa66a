import { execFileSync } from 'node:child_process'
import { lstat, readFile, readdir, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { makeDataImage, stage } from './disk-images.js'
import { findProgram } from './machine.js'
import { makeRunFolder } from './run-folder.js'

t.test('staging shares the content, keeps links, leaves out what is not wanted', async t => {
  const folder = t.testdir({ from: { a: 'content', sub: { keep: '1', drop: '2' } } })
  await symlink('sub/keep', join(folder, 'from', 'link'))
  await stage(join(folder, 'from'), join(folder, 'to', 'deep'), path => !path.endsWith('/drop'))
  t.strictSame((await readdir(join(folder, 'to', 'deep'), { recursive: true })).sort(), ['a', 'link', 'sub', 'sub/keep'])
  t.equal((await stat(join(folder, 'to', 'deep', 'a'))).ino, (await stat(join(folder, 'from', 'a'))).ino)
  t.equal(await readlink(join(folder, 'to', 'deep', 'link')), 'sub/keep')
})

t.test('what is there already is never written over: it may share its content with a file of the user\'s', async t => {
  const folder = t.testdir({ one: 'first', two: 'second' })
  await stage(join(folder, 'one'), join(folder, 'staged'))
  await t.rejects(stage(join(folder, 'two'), join(folder, 'staged')), { code: 'EEXIST' })
  t.equal(await readFile(join(folder, 'one'), 'utf8'), 'first')
})

t.test('the image has the files, and room beside them', { skip: await findProgram('debugfs') === undefined && 'no e2fsprogs' }, async t => {
  const folder = t.testdir({ content: { sub: { file: 'hello' } } })
  const image = join(folder, 'image')
  await makeDataImage(join(folder, 'content'), image)
  const debugfs = await findProgram('debugfs') ?? ''
  t.equal(execFileSync(debugfs, ['-R', 'cat /sub/file', image], { stdio: ['ignore', 'pipe', 'ignore'] }).toString(), 'hello')
  const { size, blocks } = await lstat(image)
  t.ok(size > 64 * 1024 * 1024)
  t.ok(blocks * 512 < size / 2, 'and takes no room on the disk for it')
})

t.test('folders of runs: those of dead processes are removed, those of living ones stay', async t => {
  const cache = t.testdir({ vm: { 'run-4194305-dead': { big: '' }, [`run-${process.ppid}-alive`]: {}, 'kernel-v1-6.1': {} } })
  const folder = await makeRunFolder({ WEIR_CACHE: cache })
  t.strictSame((await readdir(join(cache, 'vm'))).filter(name => !folder.path.endsWith(name)).sort(), ['kernel-v1-6.1', `run-${process.ppid}-alive`])
  await writeFile(join(folder.path, 'file'), '')
  await folder.remove()
  await t.rejects(stat(folder.path), { code: 'ENOENT' })
  await folder.remove()
  await rm(cache, { recursive: true })
})
