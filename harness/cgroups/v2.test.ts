import { execFileSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import t from 'tap'
import type { GroupHost } from './contract.js'
import { handDown } from './home.js'
import { findGroupHost } from './index.js'
import { startTicks } from './names.js'
import type { Surroundings } from './surroundings.js'
import { fakeCgroup2, fakeSurroundings } from './testing.js'

const SCOPE = '/user.slice/user-1000.slice/user@1000.service/app.slice/run-r1.scope'

async function place (around: Surroundings): Promise<Extract<GroupHost, { ok: true }>> {
  const host = await findGroupHost(around)
  if (!host.ok) throw new Error(`${host.why} ${host.mend}`)
  return host
}

async function noPlace (around: Surroundings): Promise<Extract<GroupHost, { ok: false }>> {
  const host = await findGroupHost(around)
  if (host.ok) throw new Error(`groups can be made in ${host.parent}`)
  return host
}

/** Hands controllers down to a folder of the fake tree, from its top. */
function giveDown (fake: ReturnType<typeof fakeCgroup2>, path: string, ...controllers: string[]): void {
  let folder = fake.mount
  for (const part of path.split('/').filter(part => part !== '')) {
    controllers.forEach(controller => fake.kernel.write(join(folder, 'cgroup.subtree_control'), `+${controller}`))
    folder = join(folder, part)
  }
}

t.test('root without systemd: children of the root, which hands down what is missing', async t => {
  const fake = fakeCgroup2(t)
  const host = await place(fakeSurroundings(fake, '/', { uid: 0, systemd: false }))
  t.match(host, { version: 'v2', parent: fake.mount, controllers: ['cpu', 'cpuset', 'memory', 'io'] })
  t.equal(fake.read('cgroup.subtree_control'), '', 'looking changes nothing')
  const group = await host.create('block 1', ['cpu'])
  t.equal(fake.read('cgroup.subtree_control'), 'cpu cpuset memory io', 'the other counters are wanted, too')
  t.match(basename(group.path), new RegExp(`^weir-${process.pid}-${startTicks(process.pid)}-\\d+-block_1$`))

  await group.set('cpu.max', '50000 100000')
  t.equal(await group.get('cpu.max'), '50000 100000')
  await t.rejects(group.get('cpu.nothing' as 'cpu.max'), /cannot read .*cpu.nothing: there is no such file/)
  t.match(group.counters(), { 'cpu.stat.usage_usec': 7, 'cpu.max.quota_usec': 50000, 'memory.events.oom_kill': 0 })

  const [command = '', ...args] = group.enter
  const pid = execFileSync(command, [...args, 'sh', '-c', 'echo $$']).toString().trim()
  t.strictSame(await group.processes(), [Number(pid)], 'the program itself is in the group, by the pid of its wrapper')
  await Promise.all([group.remove(), group.remove()])
  t.notOk(existsSync(group.path))
  await group.remove()
})

t.test('a group and one beside it under one limit', async t => {
  const fake = fakeCgroup2(t)
  const host = await place(fakeSurroundings(fake, '/', { uid: 0, systemd: false }))
  const group = await host.create('b', ['memory'], { commonLimitBytes: 4096 })
  t.equal(group.beside?.commonLimit(), '4096')
  await group.set('memory.low', '1024')
  const [command = '', ...args] = group.beside?.enter ?? []
  execFileSync(command, [...args, 'true'])
  t.equal(group.beside?.processes().length, 1)
  t.strictSame(await group.processes(), [])
  await group.remove()
  t.notOk(existsSync(dirname(group.path)))
  t.equal((await host.create('c', ['memory'])).beside, undefined)
})

t.test('a delegated scope: those who sit in it move to a leaf, and come back', async t => {
  const fake = fakeCgroup2(t)
  fake.group(SCOPE, [11, 12])
  giveDown(fake, SCOPE, 'cpu', 'memory')
  const asked: Array<[unit: string, user: boolean]> = []
  const around = fakeSurroundings(fake, SCOPE, { isDelegated: async (unit, user) => { asked.push([unit, user]); return true } })
  const host = await place(around)
  t.strictSame(asked, [['run-r1.scope', true]])
  t.match(host, { parent: join(fake.mount, SCOPE), controllers: ['cpu', 'memory'] })
  t.equal(fake.read(`${SCOPE}/cgroup.procs`), '11\n12', 'looking moves nobody')
  await t.rejects(host.create('x', ['cpuset']), /may not hand down the cpuset controller. To mend: sudo mkdir .*Delegate=cpu cpuset io memory pids/)

  const group = await host.create('x', ['memory'])
  t.equal(fake.read(`${SCOPE}/cgroup.procs`), '')
  t.strictSame(fake.read(`${SCOPE}/weir-home/cgroup.procs`).split(/\s+/), ['11', '12'])
  t.equal(fake.read(`${SCOPE}/cgroup.subtree_control`), 'cpu memory')
  await group.remove()

  // The run was killed before it could bring them back; the next one starts in the leaf.
  const second = await place({ ...around, ownGroups: `0::${SCOPE}/weir-home\n` })
  t.equal(second.parent, host.parent)
  const bringBack = handDown(second.parent, ['cpu'], second.controllers, fake.kernel)
  const other = fake.group(`${SCOPE}/weir-${process.pid}-1-1-other`)
  bringBack()
  t.ok(existsSync(join(fake.mount, SCOPE, 'weir-home')), 'another run needs it still')
  fake.kernel.remove(other)
  bringBack()
  t.notOk(existsSync(join(fake.mount, SCOPE, 'weir-home')))
  t.strictSame(fake.read(`${SCOPE}/cgroup.procs`).split(/\s+/), ['11', '12'])
  t.equal(fake.read(`${SCOPE}/cgroup.subtree_control`), '')
})

t.test('a controller that is needed but refused: everybody is back where they were', async t => {
  const fake = fakeCgroup2(t)
  fake.group(SCOPE, [11])
  giveDown(fake, SCOPE, 'cpu', 'memory')
  const refusing = {
    ...fake.kernel,
    write (file: string, value: string) {
      if (value === '+cpu') throw new Error('EINVAL')
      fake.kernel.write(file, value)
    }
  }
  const parent = join(fake.mount, SCOPE)
  t.throws(() => handDown(parent, ['cpu'], ['cpu', 'memory'], refusing), /EINVAL/)
  t.equal(fake.read(`${SCOPE}/cgroup.procs`), '11')
  t.notOk(existsSync(join(parent, 'weir-home')))
  handDown(parent, ['memory'], ['cpu', 'memory'], refusing)
  t.equal(fake.read(`${SCOPE}/cgroup.subtree_control`), 'memory', 'one that is only welcome is left away')
})

t.test('no delegation: why, and the command line being run with what is missing', async t => {
  const fake = fakeCgroup2(t)
  const path = '/user.slice/user-1000.slice/session-2.scope'
  const folder = fake.group(path, [11])
  giveDown(fake, path, 'cpu', 'memory')
  const command = "/usr/bin/node /clone/dist/harness/cli.js compare --policy 'a b'"
  t.equal((await noPlace(fakeSurroundings(fake, path, { isDelegated: async () => false }))).mend, `systemd-run --user --scope -p Delegate=yes ${command}`, 'writable, but not given away')
  rmSync(join(folder, 'cgroup.subtree_control'))
  const readOnly = await noPlace(fakeSurroundings(fake, path))
  t.match(readOnly.why, /session-2\.scope, in which user 1000 may not make groups.*no v1 hierarchy/)
  t.equal((await noPlace(fakeSurroundings(fake, path, { systemd: false }))).mend, `sudo ${command}`)
  for (const controller of ['cpu', 'memory']) fake.kernel.write(join(fake.mount, 'cgroup.subtree_control'), `-${controller}`)
  t.equal((await noPlace(fakeSurroundings(fake, path, { uid: 0 }))).mend, `systemd-run --scope -p Delegate=yes ${command}`)
})

t.test('root with systemd: what its manager hands down is used, never more', async t => {
  const fake = fakeCgroup2(t)
  const path = '/system.slice/ssh.service'
  fake.group(path, [11])
  fake.kernel.write(join(fake.mount, 'cgroup.subtree_control'), '+memory')
  const around = fakeSurroundings(fake, path, { uid: 0, isDelegated: async () => false })
  const host = await place(around)
  t.match(host, { parent: fake.mount, controllers: ['memory'] })
  await (await host.create('x', ['memory'])).remove()
  await t.rejects(host.create('x', ['cpu']), /may not hand down the cpu controller. To mend: systemd-run --scope -p Delegate=yes \/usr/)
  t.equal(fake.read('cgroup.subtree_control'), 'memory')
})

t.test('a machine whose cgroup2 has no controllers', async t => {
  const fake = fakeCgroup2(t, 'hugetlb')
  const none = await noPlace(fakeSurroundings(fake, '/'))
  t.match(none.why, /has neither the cpu nor the memory controller/)
  t.match(none.mend, /^sudo /, 'systemd-run cannot help')
  t.match((await noPlace(fakeSurroundings(fake, '/', { uid: 0 }))).mend, / --host vm$/)
  t.match((await noPlace(fakeSurroundings(fake, '/', { mountinfo: '' }))).why, /cgroup2 is not mounted/)
})

t.test('groups of dead runs are removed, those of living runs and of others are not', async t => {
  const fake = fakeCgroup2(t)
  const dead = [fake.group('/weir-999999999-5-1-a', [4000000]), fake.group(`/weir-${process.pid}-1-1-same-pid-older-start`)]
  const kept = [fake.group(`/weir-${process.pid}-${startTicks(process.pid)}-1-mine`), fake.group('/weir-home'), fake.group('/system.slice'), fake.group('/weir-99-x')]
  await place(fakeSurroundings(fake, '/', { uid: 0, systemd: false }))
  t.strictSame(dead.filter(folder => existsSync(folder)), [])
  t.strictSame(kept.filter(folder => !existsSync(folder)), [])
})
