import { Command } from 'commander'
import { findGroupHost } from '../cgroups/index.js'
import { knobKinds } from '../knobs/index.js'

const WIDTH = 80

/** `harness knobs`: every system-level condition, and whether control groups can be made here. */
export function knobsCommand (): Command {
  return new Command('knobs')
    .description('list the system-level conditions that a run can be given')
    .action(async () => {
      for (const { name, value, describe } of knobKinds()) {
        console.log([value === '' ? name : value.startsWith('[') ? `${name}[=${value.slice(1)}` : `${name}=${value}`, ...wrapped(describe, 4)].join('\n'))
      }
      console.log(`\n${wrapped('BYTES take K, M and G for powers of 1,024. A CPULIST is numbers and ranges, joined by "+" or ",".', 0).join('\n')}`)
      const host = await findGroupHost()
      console.log(host.ok
        ? `\nControl groups on this machine: cgroup ${host.version}, ${host.controllers.join(', ')}.`
        : `\n${wrapped(`Control groups on this machine: none; ${host.why}.`, 0).join('\n')}\nTo mend: ${host.mend}`)
    })
}

/** Lines of at most 80 columns. */
export function wrapped (text: string, indent: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const line = lines.at(-1)
    if (line !== undefined && line.length + 1 + word.length <= WIDTH) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(' '.repeat(indent) + word)
  }
  return lines
}
