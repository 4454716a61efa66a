import type { Controller, Group, Setting } from '../cgroups/contract.js'
import type { BeforeServer, Knob, ServerRunning } from './contract.js'

export interface GroupSetting {
  readonly spec: string
  readonly name: string
  readonly title: string
  readonly controller: Controller
  readonly setting: Setting
  /** What is written, in v2 notation. */
  value (at: BeforeServer): string
  /** Whether what the kernel shows is what was asked; default: the same text. */
  matches? (asked: string, seen: string): boolean
  /** What takes it back when it is not the value that the group had before. */
  readonly undoValue?: (asked: string) => string
}

/** A knob that is one setting of llama-server's control group. Read back from the kernel, and that llama-server is in that group. */
export function groupSettingKnob ({ spec, name, title, controller, setting, value, matches = (asked, seen) => asked === seen, undoValue }: GroupSetting): Knob {
  return {
    spec,
    name,
    title,
    controllers: [controller],
    async before (at) {
      const group = groupOf(spec, at)
      const asked = value(at)
      const former = undoValue === undefined ? await group.get(setting) : undoValue(asked)
      await group.set(setting, asked)
      return () => group.set(setting, former)
    },
    async readBack (at) {
      const group = groupOf(spec, at)
      await assertInGroup(spec, at)
      const [asked, seen] = [value(at), await group.get(setting)]
      if (!matches(asked, seen)) throw new Error(`${spec}: asked for ${setting} ${JSON.stringify(asked)}, but the kernel has ${JSON.stringify(seen)} in ${group.path}`)
      return { [setting]: seen, 'control group': `cgroup ${group.version}` }
    }
  }
}

export function groupOf (spec: string, at: BeforeServer): Group {
  if (at.group === undefined) throw new Error(`${spec}: needs a control group for llama-server, but it got none`)
  return at.group
}

/** @throws Error when llama-server does not run in its group */
export async function assertInGroup (spec: string, at: ServerRunning): Promise<void> {
  const group = groupOf(spec, at)
  const pids = await group.processes()
  if (!pids.includes(at.pid)) throw new Error(`${spec}: llama-server is process ${at.pid}, but in its group ${group.path} are [${pids.join(', ')}]`)
}
