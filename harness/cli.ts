#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { modelsCommand } from '../models/cli.js'
import { compareCommand } from './commands/compare.js'
import { doctorCommand } from './commands/doctor.js'
import { knobsCommand } from './commands/knobs.js'
import { reportCommand } from './commands/report.js'
import { runCommand } from './commands/run.js'
import { selftestCommand } from './commands/selftest.js'
import { vmCommand } from './commands/vm.js'
import { packageVersion } from './package-root.js'
import { UsageError } from './usage-error.js'

const program = new Command('harness')
  .description('Before/after experiments on llama-server behind the gateway, with OS evidence and a verdict')
  .version(packageVersion())
  .configureHelp({ helpWidth: 80 })
  .showHelpAfterError('(run harness --help, or harness COMMAND --help)')
  .addCommand(compareCommand())
  .addCommand(runCommand())
  .addCommand(reportCommand())
  .addCommand(knobsCommand())
  .addCommand(doctorCommand())
  .addCommand(selftestCommand())
  .addCommand(vmCommand())
  .addCommand(modelsCommand())

function exitOnError (command: Command): void {
  command.exitOverride()
  command.commands.forEach(exitOnError)
}
exitOnError(program)

// `harness report DIR | head`: a reader that has seen enough is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2
  } else {
    process.stderr.write(`harness: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = error instanceof UsageError ? 2 : 1
  }
}
