import { Command, CommanderError } from 'commander'
import { modelsCommand } from '../models/cli.js'
import { compareCommand } from './commands/compare.js'
import { diffCommand } from './commands/diff.js'
import { doctorCommand } from './commands/doctor.js'
import { knobsCommand } from './commands/knobs.js'
import { planCommand } from './commands/plan.js'
import { reportCommand } from './commands/report.js'
import { runCommand } from './commands/run.js'
import { selftestCommand } from './commands/selftest.js'
import { studyCommand } from './commands/study.js'
import { vmCommand } from './commands/vm.js'
import { packageVersion } from './package-root.js'
import { UsageError } from './usage-error.js'

/** Where help and complaints go; results go to this process's stdout. */
export interface Output {
  readonly writeOut: (text: string) => void
  readonly writeErr: (text: string) => void
}

/**
 * A whole command line, `args` without program and script.
 * @returns the exit code: 0, 2 when it was typed wrongly, 1 for everything else; the complaint has been written. Commands that end as they should
 * with another code (130 after Ctrl-C, a command's own in the VM) set `process.exitCode`
 */
export async function main (args: readonly string[], output: Output): Promise<number> {
  const program = new Command('harness')
    .description('Before/after experiments on llama-server behind the gateway, with OS evidence and a verdict')
    .version(packageVersion())
    .showHelpAfterError('(run harness --help, or harness COMMAND --help)')
    .addCommand(compareCommand())
    .addCommand(runCommand())
    .addCommand(studyCommand())
    .addCommand(planCommand())
    .addCommand(reportCommand())
    .addCommand(diffCommand())
    .addCommand(knobsCommand())
    .addCommand(doctorCommand())
    .addCommand(selftestCommand())
    .addCommand(vmCommand())
    .addCommand(modelsCommand())
  prepare(program, output)
  try {
    await program.parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    output.writeErr(`harness: ${error instanceof Error ? error.message : String(error)}\n`)
    return error instanceof UsageError ? 2 : 1
  }
}

/** A command inherits nothing from the one it is added to. */
function prepare (command: Command, output: Output): void {
  command.exitOverride().configureOutput(output).configureHelp({ helpWidth: 80 })
  for (const each of command.commands) prepare(each, output)
}
