import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { findGroupHost } from '../cgroups/index.js'

/** What a harness run could leave behind on the machine. For tests only. */
export const groupHost = await findGroupHost()
const parents = groupHost.ok ? groupHost.parent.split(/,(?=\/)/) : []

function readText (path: string): string {
  try { return readFileSync(path, 'utf8') } catch { return '' }
}

export function commandLine (pid: number): string {
  return readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
}

/** Everything that a process has started, and what that has started. */
export function descendants (pid: number): number[] {
  const children = readdirSync('/proc').filter(name => /^\d+$/.test(name)).map(Number).filter(each => parentOf(each) === pid)
  return children.flatMap(child => [child, ...descendants(child)])
}

function parentOf (pid: number): number {
  const text = readText(`/proc/${pid}/stat`)
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1])
}

export const runs = (pid: number): boolean => existsSync(`/proc/${pid}`) && !/^\d+ \(.*\) [ZX]/s.test(readText(`/proc/${pid}/stat`))
export const groups = (): string[] => parents.flatMap(parent => readdirSync(parent).filter(name => name.startsWith('weir-') && name !== 'weir-home')).sort()
const affinity = (): string => /^Cpus_allowed_list:.*$/m.exec(readText('/proc/self/status'))?.[0] ?? ''

/** The machine as it was, but for what runs; and a check that it is so again. Other harness runs may have groups here. */
export function machine (t: Test): (children: readonly number[]) => Promise<void> {
  const state = () => ({ groups: groups(), mounts: readText('/proc/self/mounts'), affinity: affinity() })
  const before = state()
  return async children => {
    while (children.some(runs)) await sleep(20)
    t.strictSame(state(), before)
  }
}
