import type { SlotStay } from '../types.js'

/** `0.03.201.123 I slot      release: id  0 | task 1 | stop processing: …`: minutes, seconds, milliseconds and microseconds since the start. */
const LINE = /^(\d+)\.(\d\d)\.(\d{3})\.(\d{3}) \w slot +(launch_slot_|release): id +\d+ \| task (\d+) \| (?:processing task|stop processing)/

/** The stays of tasks in slots that a log of llama-server tells of, in order of their beginning. Other lines are passed over. */
export function slotStaysIn (log: string): SlotStay[] {
  const stays = new Map<number, { readonly task: number, readonly fromMs: number, toMs?: number }>()
  for (const line of log.split('\n')) {
    const found = LINE.exec(line)
    if (found === null) continue
    const [, minutes, seconds, milliseconds, microseconds, what, id] = found
    const atMs = Number(minutes) * 60_000 + Number(seconds) * 1000 + Number(milliseconds) + Number(microseconds) / 1000
    const task = Number(id)
    if (what === 'launch_slot_') {
      stays.set(task, { task, fromMs: atMs })
      continue
    }
    const stay = stays.get(task)
    if (stay !== undefined) stay.toMs ??= atMs
  }
  return [...stays.values()]
}
