import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import t from 'tap'
import type { Test } from 'tap'
import { allowedCpus } from '../run/placement.js'
import { parseFincore } from './residency.js'
import { knobOf, launchOf, runningBlock } from './testing.js'

const skip = process.platform !== 'linux' && 'reads /proc'

/** A process with these words on its command line, which stands for llama-server. */
async function serverWith (t: Test, ...words: string[]): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'console.log("up"); setInterval(() => {}, 1000)', '--', ...words], { stdio: ['ignore', 'pipe', 'ignore'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child.pid ?? NaN
}

t.test('threads and batch: the command line, and what llama-server says of itself', { skip }, async t => {
  const folder = t.testdir()
  const pid = await serverWith(t, '-t', '2', '-b', '64', '--no-repack', '--no-warmup')
  const at = runningBlock({ pid, folder })
  t.match(await knobOf('threads=2').readBack(at), { 'compute threads': '-t 2', 'threads in all': /^\d+$/ })
  await t.rejects(knobOf('threads=3').readBack(at), /threads=3: llama-server should run with -t 3, but its command line has -t 2/)
  writeFileSync(`${folder}/llama-server.log`, '0.26 I cmn init: llama threadpool init, n_threads = 2\n')
  await knobOf('threads=2').readBack(at)
  writeFileSync(`${folder}/llama-server.log`, '0.26 I cmn init: llama threadpool init, n_threads = 1\n')
  await t.rejects(knobOf('threads=2').readBack(at), /llama-server says that it computes with 1 threads/)
  t.strictSame(await knobOf('batch=64').readBack(at), { 'prompt tokens in a step': '-b 64' })
  await t.rejects(knobOf('batch=65').readBack(at), /-b 65, but its command line has -b 64/)
  t.match(await knobOf('no-repack').readBack(at), { 'weights repacked': '--no-repack' })
  const bare = runningBlock({ pid: await serverWith(t) })
  await t.rejects(knobOf('batch=64').readBack(bare), /its command line has no -b/)
  t.match(await knobOf('no-self-warmup').readBack(at), { 'own warm-up of llama-server': '--no-warmup' })
  await t.rejects(knobOf('no-self-warmup').readBack(bare), /runs without --no-warmup/)
  await t.rejects(knobOf('no-repack').readBack(bare), /runs without --no-repack/)
})

t.test('mlock and no-mmap: what the kernel says, not the flag', { skip }, async t => {
  const at = runningBlock({ pid: await serverWith(t, '--load-mode', 'mmap+mlock', '--load-mode', 'none') })
  await t.rejects(knobOf('mlock').readBack(at), /mlock: only 0 bytes of the model's 1 MiB of weights are locked \(VmLck of process \d+\). To mend: ulimit -l unlimited/)
  // The program's own file is mapped by every process of it.
  await t.rejects(knobOf('no-mmap').readBack(at), /has mapped \/proc\/self\/exe all the same/)
  const model = { ...launchOf().model, path: `${t.testdir({ m: '' })}/m` }
  t.match(await knobOf('no-mmap').readBack({ ...at, server: launchOf({ model }) }), { 'model mapped': 'no' })
  await t.rejects(knobOf('no-mmap').readBack({ ...at, server: launchOf({ model: { ...model, bytes: 1024 ** 4 } }) }), /anonymous memory, less than the model's/)
})

t.test('affinity of every thread', { skip }, async t => {
  const all = allowedCpus()
  const pid = await serverWith(t)
  t.match(await knobOf('unpinned').readBack(runningBlock({ pid })), { 'llama-server CPUs': /\d/ })
  t.match(await knobOf('pinning').readBack(runningBlock({ pid, server: launchOf({ cpus: all }) })), { 'llama-server CPUs': /\d/ })
  await t.rejects(knobOf('pinning').readBack(runningBlock({ pid, server: launchOf({ cpus: [4095] }) })), /pinning: llama-server should run on CPU 4095 only/)
  await t.rejects(knobOf('pinning').readBack(runningBlock({ pid: 2 ** 30 })), /nothing: it is gone/)
})

t.test('what was not done cannot be read back', async t => {
  for (const spec of ['page-cache=cold', 'page-cache=warm', 'preload', 'page-cache-hog=64M', 'disk-hog=read', 'warmup=1']) {
    await t.rejects(knobOf(spec).readBack(runningBlock()), /was not|before the start|answered 0 of 1/, spec)
  }
})

t.test('fincore as it writes', async t => {
  t.strictSame(parseFincore('{\n   "fincore": [\n      {\n         "res": 4096,\n         "size": 8192\n      }\n   ]\n}\n', 'f'), { residentBytes: 4096, fileBytes: 8192 })
  t.strictSame(parseFincore('{"fincore": [{"res": "0", "size": "8192"}]}', 'f'), { residentBytes: 0, fileBytes: 8192 })
  t.throws(() => parseFincore('{"fincore": []}', '/m.gguf'), /fincore says nothing of \/m.gguf/)
})
