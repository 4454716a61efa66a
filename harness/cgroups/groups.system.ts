import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Test } from 'tap'
import type { Group, GroupHost } from './contract.js'
import { findGroupHost } from './index.js'

const host = await findGroupHost()
const skip = !host.ok && `${host.why}. To mend: ${host.mend}`

async function groupOf (t: Test): Promise<Group> {
  const { create } = host as Extract<GroupHost, { ok: true }>
  const group = await create(t.name, ['cpu', 'memory'])
  t.teardown(() => group.remove())
  return group
}

/** Starts a program in the group; `stdout` is collected. */
function run (group: Group, ...command: string[]): { readonly pid: number, readonly over: Promise<{ readonly code: number | null, readonly signal: NodeJS.Signals | null, readonly out: string }> } {
  const [program = '', ...args] = [...group.enter, ...command]
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.on('data', (data: Buffer) => { out += data.toString() })
  return { pid: child.pid ?? NaN, over: once(child, 'close').then(([code, signal]) => ({ code, signal, out })) }
}

/** Waits for something that the kernel will do; the test runner's own time limit ends it. */
async function until (is: () => boolean | Promise<boolean>): Promise<void> {
  while (!await is()) await sleep(20)
}

const leftOf = (group: Group): string[] => group.path.split(/,(?=\/)/).filter(folder => existsSync(folder))
const SPIN = ['sh', '-c', 'while :; do :; done']

t.test('a quota throttles, and the group counts it', { skip }, async t => {
  const group = await groupOf(t)
  await group.set('cpu.max', '20000 100000')
  t.equal(await group.get('cpu.max'), '20000 100000')
  const { pid } = run(group, ...SPIN)
  await until(() => (group.counters()['cpu.stat.nr_throttled'] ?? 0) >= 5)
  t.strictSame(await group.processes(), [pid])
  const counters = group.counters()
  t.ok((counters['cpu.stat.throttled_usec'] ?? 0) > 0, `throttled ${counters['cpu.stat.throttled_usec']} us in ${counters['cpu.stat.nr_throttled']} periods`)
  t.ok((counters['cpu.stat.usage_usec'] ?? 0) > 0)
  await Promise.all([group.remove(), group.remove()])
  t.strictSame(leftOf(group), [])
})

t.test('a memory limit kills what goes beyond it, and the group counts it', { skip }, async t => {
  const group = await groupOf(t)
  await group.set('memory.max', String(48 * 2 ** 20))
  if (existsSync('/proc/swaps') && readFileSync('/proc/swaps', 'utf8').trim().includes('\n')) await group.set('memory.swap.max', '0')
  t.equal(await group.get('memory.max'), String(48 * 2 ** 20))
  const end = await run(group, 'sh', '-c', 'exec dd if=/dev/zero of=/dev/null bs=96M count=1 2>/dev/null').over
  t.equal(end.signal, 'SIGKILL')
  const counters = group.counters()
  t.equal(counters['memory.events.oom_kill'], 1)
  t.ok((counters['memory.events.max'] ?? 0) > 0)
})

t.test('cpuset, weight and burst are as the kernel has them; nonsense is an error that says what it was', { skip }, async t => {
  const group = await groupOf(t)
  await group.set('cpu.weight', '20')
  t.equal(await group.get('cpu.weight'), '20')
  await group.set('cpu.max', '50000 100000')
  await group.set('cpu.max.burst', '25000')
  t.equal(await group.get('cpu.max.burst'), '25000')
  await t.rejects(group.set('cpu.max.burst', '60000'), /"60000" to \/.*burst.*: EINVAL/, 'a burst above its quota')
  await t.rejects(group.set('cpu.max', '5 10'), /EINVAL/)
  t.equal(await group.get('cpu.max'), '50000 100000', 'what was refused changed nothing')
  await group.set('cpuset.cpus', '0')
  const end = await run(group, 'sh', '-c', 'grep Cpus_allowed_list /proc/self/status').over
  t.equal(end.out, 'Cpus_allowed_list:\t0\n')
})

t.test('remove kills whoever is left, children too', { skip }, async t => {
  const group = await groupOf(t)
  run(group, 'sh', '-c', 'sleep 1000 & sleep 1000 & trap "" TERM; wait; sleep 1000')
  await until(async () => (await group.processes()).length === 3)
  await group.remove()
  t.strictSame(leftOf(group), [])
  t.strictSame(await group.processes(), [])
})

t.test('no way out leaves a group behind', { skip }, async t => {
  const index = JSON.stringify(new URL('index.js', import.meta.url).href)
  const program = (then: string): string[] => ['--input-type=module', '-e', `
    import { findGroupHost } from ${index}
    import { spawn } from 'node:child_process'
    const group = await (await findGroupHost()).create('way-out', ['cpu'])
    const [command, ...args] = group.enter
    spawn(command, [...args, 'sleep', '1000'])
    while ((await group.processes()).length === 0) await new Promise(resolve => setTimeout(resolve, 10))
    process.on('SIGINT', () => process.exit(130))
    console.log(group.path)
    ${then}`]
  const groupPath = (out: string): string[] => out.trim().split(/,(?=\/)/)
  for (const [how, then] of [['exit', 'process.exit(0)'], ['an exception', 'throw new Error("boom")'], ['SIGINT', 'process.kill(process.pid, "SIGINT"); setInterval(() => {}, 1000)']] as const) {
    const child = spawn(process.execPath, program(then), { stdio: ['ignore', 'pipe', 'ignore'] })
    let out = ''
    child.stdout.on('data', (data: Buffer) => { out += data.toString() })
    await once(child, 'close')
    t.ok(groupPath(out).length > 0 && groupPath(out)[0]?.includes('weir-'), how)
    t.strictSame(groupPath(out).filter(folder => existsSync(folder)), [], how)
  }
  const child = spawn(process.execPath, program('setInterval(() => {}, 1000)'), { stdio: ['ignore', 'pipe', 'inherit'] })
  const [data] = await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const folders = groupPath(String(data))
  t.strictSame(folders.filter(folder => !existsSync(folder)), [], 'SIGKILL leaves no time')
  execFileSync(process.execPath, ['--input-type=module', '-e', `await (await import(${index})).findGroupHost()`])
  t.strictSame(folders.filter(folder => existsSync(folder)), [], 'but the next start clears up')
})
