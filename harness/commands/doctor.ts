import { Command } from 'commander'
import { findServer } from '../../models/find.js'
import { allowedCpus, placeOn } from '../run/placement.js'
import { preflight } from '../run/preflight.js'

/** `harness doctor`: what this machine has, what it lacks, what is lost by it, and what to type. Exit code 0: nothing here stops a run. */
export function doctorCommand (): Command {
  return new Command('doctor')
    .description('what this machine lacks for a comparison, what is lost by it, and how to mend it')
    .action(async () => {
      for (const check of preflight()) {
        console.log(`${check.ok ? 'ok      ' : 'MISSING '}${check.what}`)
        if (!check.ok) console.log(`        lost by it: ${check.lost}\n        to mend: ${check.mend}`)
      }
      console.log(`ok      placement: ${placeOn(allowedCpus()).note}`)
      const server = await findServer({}).catch(() => undefined)
      console.log(server === undefined ? '        llama-server: none found; compare and gateway install it into the cache' : `ok      llama-server ${server.version} (${server.from})`)
    })
}
