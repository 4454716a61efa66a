import { readdirSync } from 'node:fs'
import { SWITCHES_IN_LAST_BYTES, parseSchedule, parseSwitches, type Schedule, type Switches } from './proc-process.js'
import { keptFile, type KeptFile } from './read-text.js'

export interface ThreadTotals {
  readonly voluntarySwitches: number
  readonly involuntarySwitches: number
  /** Absent where the kernel keeps no schedstat. */
  readonly onCpuNs?: number
  readonly runQueueWaitNs?: number
}

type Sums = { -readonly [K in keyof ThreadTotals]: ThreadTotals[K] }

interface Thread {
  readonly schedstat: KeptFile
  readonly status: KeptFile
  /** As last read. */
  scheduleText: string
  schedule: Schedule | undefined
  switches: Switches
}

/** What a kernel without CONFIG_SCHED_INFO, or with it switched off, says of each thread. */
const NO_SCHEDULE = '0 0 0\n'

/**
 * Sums of what the kernel counts per thread (folder: `/proc/PID/task`). A thread that ends keeps its last reading in the sums; what it did after that
 * reading, and threads that began and ended between two readings, are in none.
 *
 * Two kept files a thread. The dear one, `status`, is read only of threads that ran since: time on the CPU grows whenever a thread was switched out.
 * So is the folder only when it must have changed: `count` is the kernel's own number of threads, and a thread that is gone cannot be read.
 */
export function watchThreads (folder: string): { read (count: number): ThreadTotals, close (): void } {
  const threads = new Map<string, Thread>()
  const ended: Sums = { voluntarySwitches: 0, involuntarySwitches: 0 }

  function dropEnded (): void {
    for (const [tid, thread] of threads) {
      if (readThread(thread)) continue
      add(ended, thread)
      closeThread(thread)
      threads.delete(tid)
    }
  }

  function addNew (): void {
    for (const tid of list(folder)) {
      if (threads.has(tid)) continue
      const thread = openThread(`${folder}/${tid}`)
      if (readThread(thread)) threads.set(tid, thread)
    }
  }

  return {
    read (count) {
      dropEnded()
      if (threads.size !== count) addNew()
      const sums = { ...ended }
      for (const thread of threads.values()) add(sums, thread)
      return sums
    },
    close () {
      for (const thread of threads.values()) closeThread(thread)
      threads.clear()
    }
  }
}

function add (sums: Sums, { switches, schedule }: Thread): void {
  sums.voluntarySwitches += switches.voluntary
  sums.involuntarySwitches += switches.involuntary
  if (schedule === undefined) return
  sums.onCpuNs = (sums.onCpuNs ?? 0) + schedule.onCpuNs
  sums.runQueueWaitNs = (sums.runQueueWaitNs ?? 0) + schedule.runQueueWaitNs
}

function openThread (folder: string): Thread {
  return { schedstat: keptFile(`${folder}/schedstat`), status: keptFile(`${folder}/status`), scheduleText: '', schedule: undefined, switches: { voluntary: 0, involuntary: 0 } }
}

function closeThread ({ schedstat, status }: Thread): void {
  schedstat.close()
  status.close()
}

/** False when the thread is gone. schedstat first: a switch between the two files then shows as a change the next time. */
function readThread (thread: Thread): boolean {
  const text = thread.schedstat.read() ?? NO_SCHEDULE
  if (text !== NO_SCHEDULE && text === thread.scheduleText) return true
  const status = thread.status.read(SWITCHES_IN_LAST_BYTES)
  if (status === undefined) return false
  thread.scheduleText = text
  if (text !== NO_SCHEDULE) thread.schedule = parseSchedule(text)
  thread.switches = parseSwitches(status)
  return true
}

function list (folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
