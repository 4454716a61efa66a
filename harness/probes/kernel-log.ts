import { basename } from 'node:path'
import { runProgram } from '../knobs/run-program.js'

/** The kernel's own word on a kill for want of memory in a control group, by `dmesg`; undefined when it has none or may not be asked. */
export async function oomKillIn (groupPath: string): Promise<string | undefined> {
  return parseOomKill(await runProgram(['dmesg']).catch(() => ''), groupPath)
}

/** `oom-kill:constraint=…,oom_memcg=GROUP,…,task=NAME,pid=N,uid=N` (mm/oom_kill.c, dump_oom_summary), the last one of the group, without its time. */
export function parseOomKill (log: string, groupPath: string): string | undefined {
  const group = basename(groupPath.split(',')[0] ?? '')
  const found = log.split('\n').filter(line => line.includes('oom-kill:') && line.includes(`/${group},`)).at(-1)
  return found?.slice(found.indexOf('oom-kill:'))
}
