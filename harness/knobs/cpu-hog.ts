import { findGroupHost } from '../cgroups/index.js'
import type { Group } from '../cgroups/contract.js'
import { autogroupEnabled, autogroupNice, setAutogroupNice } from '../probes/autogroup.js'
import { cpuUsecOf } from '../probes/proc-process.js'
import { readText } from '../probes/read-text.js'
import { allowedCpus } from '../run/placement.js'
import { assertAffinity } from './affinity.js'
import type { KnobKind, ServerRunning, Undo } from './contract.js'
import { assertAtWork, startHog, stopAll } from './hog.js'
import type { Hog } from './hog.js'
import { badValue, cpusOf, wholeIn } from './values.js'

const name = 'cpu-hog'
/** CPU time of one hog: an hour at full speed. The kernel ends it then (RLIMIT_CPU). */
const SCRIPT = 'ulimit -t 3600; while :; do :; done'
/** Two ticks of /proc/PID/stat. */
const AT_WORK_USEC = 20_000
/** sched(7) */
const SCHED_IDLE = 5
/** Of a hog's session, where sessions share out the CPUs: its class counts inside it only. Weight 15 against 1,024. */
const IDLE_SESSION_NICE = 19

interface CpuHogs {
  readonly count: number
  /** Hog i runs on the i-th of these CPUs, in turn; absent: wherever the kernel likes. */
  readonly cpus?: readonly number[]
  /** `cpu.weight` of a group of their own beside llama-server's. */
  readonly weight?: number
  /** SCHED_IDLE (weight 3 against 1,024), their sessions at nice 19 (15 against 1,024): they run only where nothing else wants to. */
  readonly idle: boolean
}

/** Processes that spin beside llama-server, from just before the load to the end of the block. */
export const cpuHog: KnobKind = {
  name,
  value: 'N[@CPULIST][:weight=W|:idle]',
  describe: 'N processes that spin, hog i on the i-th CPU of the list in turn (without a list: anywhere); with a weight in a group of their own beside llama-server\'s; idle: of the class that runs only where nothing else wants to, which takes nothing away',
  parse (value) {
    const hogs = parseHogs(value)
    const spec = `${name}=${value}`
    let running: readonly Hog[] = []
    return {
      spec,
      name,
      title: titleOf(hogs),
      controllers: hogs.weight === undefined ? [] : ['cpu'],
      async running (at) {
        const group = hogs.weight === undefined ? undefined : await groupWithWeight(spec, hogs.weight)
        const started: Hog[] = []
        running = started
        const undo: Undo = async () => {
          try {
            await stopAll(started)
          } finally {
            await group?.remove()
          }
        }
        try {
          for (let i = 0; i < hogs.count; i++) started.push(await start(spec, hogs, i, at, group))
        } catch (error) {
          await undo().catch(() => {})
          throw error
        }
        return undo
      },
      async readBack () {
        const seen = await Promise.all(running.map(async (hog, i) => {
          await assertAtWork(hog, spec, () => cpuUsecOf(hog.pid) ?? 0, AT_WORK_USEC)
          const policy = schedulingClass(hog.pid)
          if ((policy === SCHED_IDLE) !== hogs.idle) throw new Error(`${spec}: hog ${i + 1} should ${hogs.idle ? '' : 'not '}be of the idle class (${SCHED_IDLE}), but its scheduling class is ${policy}`)
          const nice = autogroupNice(hog.pid)
          if (hogs.idle && autogroupEnabled() && nice !== IDLE_SESSION_NICE) throw new Error(`${spec}: the session of hog ${i + 1} should have nice ${IDLE_SESSION_NICE}, but /proc/PID/autogroup says ${nice}`)
          return assertAffinity(spec, `hog ${i + 1}`, hog.pid, cpusOfHog(hogs, i) ?? allowedCpus())
        }))
        return { [`${hogs.idle ? 'idle-class ' : ''}CPU hogs at work on CPU`]: seen.join('; ') }
      }
    }
  }
}

function parseHogs (value: string): CpuHogs {
  const [, count = '', list, weight, idle] = /^(\d+)(?:@([\d,+-]+))?(?::weight=(\d+)|:(idle))?$/.exec(value) ?? []
  if (count === '') throw badValue(name, value, `must be N, N@CPULIST or either with :weight=W or :idle, as in ${name}=2@0-1:weight=50`)
  return {
    count: wholeIn(name, count, 1, 256),
    ...(list === undefined ? {} : { cpus: cpusOf(name, list) }),
    ...(weight === undefined ? {} : { weight: wholeIn(`${name} weight`, weight, 1, 10_000) }),
    idle: idle !== undefined
  }
}

function titleOf ({ count, cpus, weight, idle }: CpuHogs): string {
  return [`${count} ${idle ? 'idle-class ' : ''}CPU ${count === 1 ? 'hog' : 'hogs'}`, cpus === undefined ? '' : ` on CPU ${cpus.join(', ')}`, weight === undefined ? '' : `, weight ${weight}`].join('')
}

/** Field 41 of /proc/PID/stat; 0 is the usual class. */
function schedulingClass (pid: number): number {
  const text = readText(`/proc/${pid}/stat`) ?? ''
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[38])
}

function cpusOfHog ({ cpus }: CpuHogs, index: number): readonly number[] | undefined {
  const cpu = cpus?.[index % cpus.length]
  return cpu === undefined ? undefined : [cpu]
}

async function start (spec: string, hogs: CpuHogs, index: number, at: ServerRunning, group: Group | undefined): Promise<Hog> {
  const hog = await startHog({ what: spec, script: SCRIPT, idle: hogs.idle, cpus: cpusOfHog(hogs, index) ?? [], ...(group === undefined ? {} : { enter: group.enter }), logPath: `${at.folder}/${name}.log` })
  if (!hogs.idle || !autogroupEnabled()) return hog
  try {
    await setAutogroupNice(hog.pid, IDLE_SESSION_NICE)
  } catch (error) {
    await hog.stop().catch(() => {})
    throw new Error(`${spec}: the session of hog ${index + 1} cannot be set to nice ${IDLE_SESSION_NICE} in /proc/PID/autogroup: ${error instanceof Error ? error.message : String(error)}`)
  }
  return hog
}

async function groupWithWeight (spec: string, weight: number): Promise<Group> {
  const host = await findGroupHost()
  if (!host.ok) throw new Error(`${spec}: needs a control group for the hogs, but ${host.why}. To mend: ${host.mend}`)
  const group = await host.create(name, ['cpu'])
  await group.set('cpu.weight', String(weight))
  return group
}
