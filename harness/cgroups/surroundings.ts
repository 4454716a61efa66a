import { existsSync } from 'node:fs'
import { runCommand } from '../../models/command.js'
import { readText } from '../probes/read-text.js'
import { kernel } from './removal.js'
import type { Kernel } from './removal.js'

/** What decides where groups can be made; a test puts its own in its place. */
export interface Surroundings {
  /** /proc/self/mountinfo */
  readonly mountinfo: string
  /** /proc/self/cgroup */
  readonly ownGroups: string
  readonly uid: number
  /** The command line being run, for the advice how to run it again. */
  readonly commandLine: readonly string[]
  /** systemd manages the groups of this machine (sd_booted(3)). */
  readonly systemd: boolean
  /** Whether systemd handed the unit's groups over (`Delegate=yes`); `user`: a unit of the user's own manager. */
  isDelegated (unit: string, user: boolean): Promise<boolean>
  readonly kernel: Kernel
}

export function surroundings (): Surroundings {
  return {
    mountinfo: readText('/proc/self/mountinfo') ?? '',
    ownGroups: readText('/proc/self/cgroup') ?? '',
    uid: process.getuid?.() ?? -1,
    commandLine: [process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    systemd: existsSync('/run/systemd/system'),
    isDelegated,
    kernel
  }
}

/** The user's manager writes no `user.delegate` attribute (systemd 255), so systemctl is asked. */
async function isDelegated (unit: string, user: boolean): Promise<boolean> {
  const args = [...(user ? ['--user'] : []), 'show', '--property', 'Delegate', '--value', unit]
  return await runCommand('systemctl', args, { timeoutMs: 5000 }).then(said => said.trim() === 'yes', () => false)
}

/** A command line as one types it. */
export function typed (words: readonly string[]): string {
  return words.map(word => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`).join(' ')
}
