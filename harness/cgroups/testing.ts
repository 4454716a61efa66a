import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Test } from 'tap'
import type { Kernel } from './removal.js'
import type { Surroundings } from './surroundings.js'

const FILES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  cpu: { 'cpu.max': 'max 100000\n', 'cpu.max.burst': '0\n', 'cpu.weight': '100\n' },
  cpuset: { 'cpuset.cpus': '\n' },
  memory: { 'memory.max': 'max\n', 'memory.high': 'max\n', 'memory.low': '0\n', 'memory.min': '0\n', 'memory.swap.max': 'max\n', 'memory.events': 'low 0\noom_kill 0\n' },
  io: { 'io.max': '' }
}

export interface FakeCgroup2 {
  readonly mount: string
  readonly kernel: Kernel
  /** Makes a group and those above it. */
  group (path: string, pids?: readonly number[]): string
  read (path: string): string
}

/** cgroup2 in a temporary folder, with the kernel's two rules about who may have children: controllers come from above, processes sit in leaves. */
export function fakeCgroup2 (t: Test, controllers = 'cpuset cpu io memory pids'): FakeCgroup2 {
  const mount = t.testdir({ 'cgroup.procs': '', 'cgroup.controllers': controllers, 'cgroup.subtree_control': '' })
  const text = (path: string): string => readFileSync(path, 'utf8')
  const isRoot = (folder: string): boolean => folder === mount
  const words = (path: string): string[] => text(path).split(/\s+/).filter(word => word !== '')
  const fail = (code: string): never => { throw Object.assign(new Error(code), { code }) }

  function fill (folder: string): void {
    const given = words(join(dirname(folder), 'cgroup.subtree_control'))
    writeFileSync(join(folder, 'cgroup.controllers'), given.join(' '))
    for (const [file, content] of given.flatMap(controller => Object.entries(FILES[controller] ?? {}))) {
      if (!existsSync(join(folder, file))) writeFileSync(join(folder, file), content)
    }
  }
  function make (folder: string): void {
    mkdirSync(folder)
    for (const [file, content] of Object.entries({ 'cgroup.procs': '', 'cgroup.events': 'populated 0\n', 'cgroup.subtree_control': '', 'cgroup.kill': '', 'cpu.stat': 'usage_usec 7\n' })) {
      writeFileSync(join(folder, file), content)
    }
    fill(folder)
  }
  function all (folder = mount): string[] {
    return [folder, ...readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isDirectory()).flatMap(entry => all(join(folder, entry.name)))]
  }
  function enter (folder: string, pid: string): void {
    if (!isRoot(folder) && words(join(folder, 'cgroup.subtree_control')).length > 0) fail('EBUSY')
    for (const other of all()) writeFileSync(join(other, 'cgroup.procs'), words(join(other, 'cgroup.procs')).filter(word => word !== pid).join('\n'))
    appendFileSync(join(folder, 'cgroup.procs'), `\n${pid}\n`)
  }
  function control (folder: string, change: string): void {
    const [sign, name] = [change[0], change.slice(1)]
    const file = join(folder, 'cgroup.subtree_control')
    if (sign === '+' && !isRoot(folder) && words(join(folder, 'cgroup.procs')).length > 0) fail('EBUSY')
    if (!words(join(folder, 'cgroup.controllers')).includes(name)) fail('ENOENT')
    writeFileSync(file, [...words(file).filter(word => word !== name), ...(sign === '+' ? [name] : [])].join(' '))
    all(folder).filter(child => dirname(child) === folder).forEach(fill)
  }
  const kernel: Kernel = {
    make,
    remove (folder) {
      if (words(join(folder, 'cgroup.procs')).length > 0) fail('EBUSY')
      rmSync(folder, { recursive: true })
    },
    write (file, value) {
      if (!existsSync(file)) fail('ENOENT')
      if (basename(file) === 'cgroup.procs') enter(dirname(file), value)
      else if (basename(file) === 'cgroup.subtree_control') control(dirname(file), value)
      else if (basename(file) === 'cgroup.kill') writeFileSync(join(dirname(file), 'cgroup.procs'), '')
      else writeFileSync(file, `${value}\n`)
    }
  }
  function group (path: string, pids: readonly number[] = []): string {
    const folder = join(mount, path)
    if (!existsSync(dirname(folder))) group(dirname(path))
    if (!existsSync(folder)) make(folder)
    pids.forEach(pid => appendFileSync(join(folder, 'cgroup.procs'), `${pid}\n`))
    return folder
  }
  return { mount, kernel, group, read: path => text(join(mount, path)).trim() }
}

/** A process in the group `own` of a fake cgroup2, by default an ordinary user's on a machine with systemd. */
export function fakeSurroundings (fake: FakeCgroup2, own: string, changes: Partial<Surroundings> = {}): Surroundings {
  return {
    mountinfo: `24 30 0:26 / /proc rw - proc proc rw\n37 30 0:24 / ${fake.mount} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n`,
    ownGroups: `0::${own}\n`,
    uid: 1000,
    commandLine: ['/usr/bin/node', '/clone/dist/harness/cli.js', 'compare', '--policy', 'a b'],
    systemd: true,
    isDelegated: async () => true,
    kernel: fake.kernel,
    ...changes
  }
}
