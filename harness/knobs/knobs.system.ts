import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Test } from 'tap'
import { ensureModel } from '../../models/ensure-model.js'
import { ensureServer } from '../../models/install/index.js'
import { startServer } from '../../models/start.js'
import type { ServerOptions } from '../../models/types.js'
import { findGroupHost } from '../cgroups/index.js'
import type { GroupHost } from '../cgroups/index.js'
import { allowedCpus } from '../run/placement.js'
import type { Undo } from './contract.js'
import { parseKnobs } from './index.js'
import { warmInGroup } from './warm-in-group.js'

const binary = await ensureServer({ onProgress: text => t.comment(text) })
const model = await ensureModel('tiny', { onProgress: () => {} })
const host = await findGroupHost()
const noGroups = !host.ok && `${host.why}. To mend: ${host.mend}`
const v1 = host.ok && host.version === 'v1'
const cpus = allowedCpus()
const lastCpu = cpus.at(-1) ?? 0

interface Outcome { readonly readBack: Readonly<Record<string, string>>, readonly folder: string, readonly undo: () => Promise<void> }

/** A block's steps in its order, up to the load; undone by `undo`, at the latest at the end of the test. */
async function block (t: Test, ...specs: string[]): Promise<Outcome> {
  const folder = t.testdir()
  const knobs = parseKnobs(specs)
  const plain: Omit<ServerOptions, 'logPath'> = { binary, model, slots: 2, slotContextTokens: 256, threads: 1, batchTokens: 256, cpus: [lastCpu] }
  const server = knobs.reduce((server, knob) => knob.launch?.(server) ?? server, plain)
  const controllers = [...new Set(knobs.flatMap(knob => knob.controllers))]
  const undos: Undo[] = []
  let undone: Promise<void> | undefined
  async function undoAll (): Promise<void> {
    const failures: unknown[] = []
    for (const undo of undos.splice(0).reverse()) await undo().catch((error: unknown) => failures.push(error))
    if (failures.length > 0) throw failures[0]
  }
  const undo = (): Promise<void> => {
    undone ??= undoAll()
    return undone
  }
  t.teardown(() => undo().catch(() => {}))

  const group = controllers.length > 0 && host.ok ? await host.create(t.name, controllers) : undefined
  if (group !== undefined) undos.push(() => group.remove())
  const before = { folder, server, group, clientCpus: [cpus[0] ?? 0], signal: new AbortController().signal }
  for (const knob of knobs) if (knob.before !== undefined) undos.push(await knob.before(before))
  const running = await startServer({ ...server, ...(group === undefined ? {} : { enter: group.enter }), logPath: `${folder}/llama-server.log` })
  undos.push(() => running.stop())
  const at = { ...before, pid: running.pid, url: running.url, apiKey: running.apiKey }
  for (const knob of knobs) if (knob.running !== undefined) undos.push(await knob.running(at))
  const readBack: Record<string, string> = {}
  for (const knob of knobs) Object.assign(readBack, await knob.readBack(at))
  t.comment(JSON.stringify(readBack))
  return { readBack, folder, undo }
}

/** Pids of processes that have these words on their command line. */
function running (words: string): string[] {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name) && name !== String(process.pid) &&
    readText(`/proc/${name}/cmdline`).replaceAll('\0', ' ').includes(words))
}

function readText (path: string): string {
  try { return readFileSync(path, 'utf8') } catch { return '' }
}

t.test('flags of llama-server, by what they do', async t => {
  t.match((await block(t, 'threads=2', 'batch=64', 'no-repack', 'pinning')).readBack, { 'compute threads': '-t 2', 'prompt tokens in a step': '-b 64', 'llama-server CPUs': String(lastCpu) })
})

t.test('placed by the kernel', async t => {
  t.match((await block(t, 'unpinned')).readBack, { 'llama-server CPUs': /\d/ })
})

t.test('locked, or not mapped, or both', async t => {
  // Not repacked: on a CPU with AMX the matrices of Q8_0 are copied into its layout, too, and are not what is locked.
  for (const specs of [['no-mmap'], ['mlock', 'no-repack'], ['mlock', 'no-mmap', 'no-repack']]) {
    await t.test(specs.join(' '), async t => {
      const { undo } = await block(t, ...specs)
      await undo()
    })
  }
})

t.test('a lock that is not allowed is found out', { skip: process.getuid?.() === 0 && 'root may lock whatever it likes' }, async t => {
  await t.rejects(block(t, 'mlock'), /VmLck .* ulimit -l unlimited/)
})

t.test('page cache cold and warm', async t => {
  const cold = await block(t, 'page-cache=cold')
  t.match(cold.readBack['model file in the page cache before the start'], /^0 bytes of /)
  await t.rejects(block(t, 'page-cache=cold'), /cannot be dropped from the page cache: .* it is mapped by the processes \d+: stop them first/, 'the first llama-server still has it')
  await cold.undo()
  execFileSync('dd', [`if=${model.path}`, 'iflag=nocache', 'count=0', 'status=none'])
  const warm = await block(t, 'page-cache=warm')
  t.match(warm.readBack['model file in the page cache before the start'], /^(\S+ \S+) of \1$/)
})

t.test('settings of the group, with llama-server in it', { skip: noGroups }, async t => {
  const { readBack, undo } = await block(t, 'cpu-quota=500/1000', 'cpu-burst=100', 'cpu-weight=50', `cpuset=${lastCpu}`, 'memory-max=512M', 'no-swap')
  t.match(readBack, { 'cpu.max': '500000 1000000', 'cpu.max.burst': '100000', 'cpu.weight': '50', 'cpuset.cpus': String(lastCpu), 'llama-server CPUs': String(lastCpu), 'memory.max': '536870912', 'memory.swap.max': '0' })
  await undo()
})

t.test('protection and throttling of memory are v2 only', { skip: noGroups }, async t => {
  const specs = ['memory-high=512M', 'memory-low=64M', 'memory-min=32M']
  if (v1) {
    for (const spec of specs) await t.rejects(block(t, spec), /cgroup v1 has no counterpart/)
    return
  }
  t.match((await block(t, ...specs)).readBack, { 'memory.high': '536870912', 'memory.low': '67108864', 'memory.min': '33554432' })
})

t.test('read ahead and charged to the group', { skip: noGroups }, async t => {
  const { readBack } = await block(t, 'preload', 'io-max=rbps=512M')
  t.match(readBack['model file read ahead'], /charged to llama-server's group/)
})

t.test('a limit that is too tight for the model: read ahead does not stay', { skip: noGroups }, async t => {
  const group = await (host as Extract<GroupHost, { ok: true }>).create(t.name, ['memory'])
  t.teardown(() => group.remove())
  const file = `${t.testdir()}/model.gguf`
  execFileSync('dd', ['if=/dev/urandom', `of=${file}`, 'bs=1M', 'count=32', 'conv=fsync', 'status=none'])
  t.match(await warmInGroup('preload', file, group, new AbortController().signal), /^32 MiB of 32 MiB, (32|31\.\d) MiB charged/)
  await group.set('memory.max', String(16 * 1024 ** 2))
  await t.rejects(warmInGroup('preload', file, group, new AbortController().signal), /does not stay in the page cache: .* memory-max is below its size/)
  // A fresh one: the kernel may refuse a limit below what a group already holds.
  const tiny = await (host as Extract<GroupHost, { ok: true }>).create(`${t.name} 2`, ['memory'])
  t.teardown(() => tiny.remove())
  await tiny.set('memory.max', '65536')
  await t.rejects(warmInGroup('preload', file, tiny, new AbortController().signal), /dd if=.* inside the control group ended with SIGKILL/)
})

t.test('warm-up requests', async t => {
  t.match((await block(t, 'warmup=3')).readBack, { 'warm-up requests answered': '3 of 3' })
})

t.test('CPU hogs where they were asked for, gone afterwards', async t => {
  const { readBack, undo } = await block(t, `cpu-hog=2@${cpus.join(',')}`)
  t.equal(readBack['CPU hogs at work on CPU'], [cpus[0], cpus[1] ?? cpus[0]].join('; '))
  t.equal(running('ulimit -t 3600; while').length, 2)
  await undo()
  t.strictSame(running('ulimit -t 3600; while'), [])
})

t.test('idle-class CPU hogs', async t => {
  const { readBack } = await block(t, `cpu-hog=1@${lastCpu}:idle`)
  t.equal(readBack['idle-class CPU hogs at work on CPU'], String(lastCpu))
})

t.test('CPU hogs in a group of their own', { skip: noGroups }, async t => {
  const { readBack, undo } = await block(t, 'cpu-hog=1:weight=20')
  t.match(readBack['CPU hogs at work on CPU'], /\d/)
  const [pid = ''] = running('ulimit -t 3600; while')
  t.match(readText(`/proc/${pid}/cgroup`), /weir-\d+-\d+-\d+-cpu-hog/)
  await undo()
  t.strictSame(running('ulimit -t 3600; while'), [])
})

t.test('a page-cache hog fills page cache without the disk', async t => {
  const { readBack, undo } = await block(t, 'page-cache-hog=64M')
  t.match(readBack['page-cache hog'], /outside llama-server's group, its file resident: (?!0 bytes)/)
  const [, pid = ''] = /process (\d+)/.exec(readBack['page-cache hog'] ?? '') ?? []
  const readBytes = Number(/^read_bytes: (\d+)$/m.exec(readText(`/proc/${pid}/io`))?.[1])
  t.ok(readBytes < 16 * 1024 ** 2, `${readBytes} bytes from the disk, for the programs themselves`)
  await undo()
  t.strictSame(running(`weir-page-cache-hog-${process.pid}.bin`), [])
})

t.test('a page-cache hog that the group pays for', { skip: noGroups }, async t => {
  t.match((await block(t, 'memory-max=512M', 'page-cache-hog=64M@group')).readBack['page-cache hog'], /inside llama-server's group/)
})

t.test('disk hogs', async t => {
  for (const kind of ['read', 'write']) {
    await t.test(kind, async t => {
      const { readBack, folder, undo } = await block(t, `disk-hog=${kind}`)
      t.match(readBack['disk hog'], new RegExp(`${kind}_bytes grew by`))
      await undo()
      t.notOk(existsSync(`${folder}/disk-hog.bin`))
    })
  }
})

t.test('hogs do not outlive a harness that was killed, be it within a moment of their start', async t => {
  const program = `
    import { startHog } from ${JSON.stringify(new URL('hog.js', import.meta.url).href)}
    const hog = await startHog({ what: 'x', script: 'while :; do :; done', logPath: ${JSON.stringify(`${t.testdir()}/log`)} })
    console.log(hog.pid)
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [data] = await once(child.stdout, 'data')
  const pid = String(data).trim()
  child.kill('SIGKILL')
  while (existsSync(`/proc/${pid}`) && !/^\d+ \(.*\) [ZX]/.test(readText(`/proc/${pid}/stat`))) await sleep(20)
  t.pass('it ended')
})
