import type { Controller, Group, GroupHost } from '../cgroups/contract.js'
import type { BeforeServer, Knob, ServerRunning } from '../knobs/contract.js'
import type { UndoStack } from './undo-stack.js'

/** Pure: the launch of llama-server with all knobs, in their order. */
export function launched (knobs: readonly Knob[], server: BeforeServer['server']): BeforeServer['server'] {
  return knobs.reduce((options, knob) => knob.launch?.(options) ?? options, server)
}

export function controllersOf (knobs: readonly Knob[]): Controller[] {
  return [...new Set(knobs.flatMap(knob => knob.controllers))]
}

/**
 * llama-server's own group, when a knob needs one: its removal is the last thing that is undone.
 * @throws Error with what to type where no group, or not with these controllers, can be made
 */
export async function makeGroup (knobs: readonly Knob[], host: () => Promise<GroupHost>, name: string, undo: UndoStack): Promise<Group | undefined> {
  const controllers = controllersOf(knobs)
  if (controllers.length === 0) return undefined
  const asked = knobs.filter(knob => knob.controllers.length > 0).map(knob => knob.spec).join(', ')
  const found = await host()
  if (!found.ok) throw new Error(`${asked}: needs a control group for llama-server, and none can be made here: ${found.why}. To mend: ${found.mend}`)
  const lacking = controllers.filter(controller => !found.controllers.includes(controller))
  if (lacking.length > 0) throw new Error(`${asked}: needs the controllers ${controllers.join(', ')}; ${found.parent} (cgroup ${found.version}) lacks ${lacking.join(', ')}`)
  const commonLimitBytes = knobs.find(knob => knob.commonLimitBytes !== undefined)?.commonLimitBytes
  const group = await found.create(name, controllers, commonLimitBytes === undefined ? {} : { commonLimitBytes })
  undo.push(`control group ${group.path}`, () => group.remove())
  return group
}

export async function beforeServer (knobs: readonly Knob[], at: BeforeServer, undo: UndoStack): Promise<void> {
  for (const knob of knobs) {
    if (knob.before === undefined) continue
    at.signal.throwIfAborted()
    undo.push(knob.spec, await knob.before(at))
  }
}

export async function whileRunning (knobs: readonly Knob[], at: ServerRunning, undo: UndoStack): Promise<void> {
  for (const knob of knobs) {
    if (knob.running === undefined) continue
    at.signal.throwIfAborted()
    undo.push(knob.spec, await knob.running(at))
  }
}

export async function underLoad (knobs: readonly Knob[], at: ServerRunning, undo: UndoStack): Promise<void> {
  for (const knob of knobs) {
    if (knob.underLoad !== undefined) undo.push(knob.spec, await knob.underLoad(at))
  }
}

/** @throws Error when a knob is not seen in effect, or two knobs see the same thing differently */
export async function readBackAll (knobs: readonly Knob[], at: ServerRunning): Promise<Record<string, string>> {
  const seen: Record<string, string> = {}
  for (const knob of knobs) {
    for (const [what, value] of Object.entries(await knob.readBack(at))) {
      if (seen[what] !== undefined && seen[what] !== value) throw new Error(`${knob.spec}: ${what} is read back as ${value}, by another knob as ${seen[what]}: the knobs contradict each other`)
      seen[what] = value
    }
  }
  return seen
}
