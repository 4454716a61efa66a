import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { readText } from './read-text.js'

/**
 * Whether the kernel divides CPUs between sessions before it divides them between the threads of each (sched(7), "The autogroup feature"). Then a
 * session has the weight of one thread on all CPUs together, however many threads it has, and a nice value or SCHED_IDLE counts inside the
 * session only. Not of processes in a control group with a cpu controller of its own.
 */
export function autogroupEnabled (): boolean {
  return readText('/proc/sys/kernel/sched_autogroup_enabled')?.trim() === '1'
}

/** Nice value of a process's session among the sessions; undefined without autogroups. */
export function autogroupNice (pid: number): number | undefined {
  const nice = /nice (-?\d+)/.exec(readText(`/proc/${pid}/autogroup`) ?? '')?.[1]
  return nice === undefined ? undefined : Number(nice)
}

/** From one change to the next, of all users but root: the kernel answers EAGAIN to more (proc_sched_autogroup_set_nice). */
const RATE_MS = 100
const ATTEMPTS = 20

/** @throws the file's error when it cannot be set within two seconds */
export async function setAutogroupNice (pid: number, nice: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      writeFileSync(`/proc/${pid}/autogroup`, String(nice))
      return
    } catch (error) {
      const again = error instanceof Error && 'code' in error && error.code === 'EAGAIN'
      if (!again || attempt === ATTEMPTS) throw error
    }
    await sleep(RATE_MS)
  }
}
