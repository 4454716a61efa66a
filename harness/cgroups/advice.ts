import type { Controller } from './contract.js'
import { typed } from './surroundings.js'
import type { Surroundings } from './surroundings.js'

/**
 * The command to type where no groups can be made: the one being run, started in a group that is handed over to it; `hasV2`: cgroup v2 has
 * controllers to hand over. Where that cannot be, as root (v1), or in a VM.
 */
export function howToDelegate (around: Surroundings, hasV2 = true): string {
  const command = typed(around.commandLine)
  if (around.systemd && hasV2) return `systemd-run ${around.uid === 0 ? '' : '--user '}--scope -p Delegate=yes ${command}`
  return around.uid === 0 ? `${command} --host vm` : `sudo ${command}`
}

/** One line for a place that has groups, but not this controller in them. */
export function withController (lacking: Controller, parent: string, around: Surroundings): string {
  const what = `the control group ${parent} may not hand down the ${lacking} controller. To mend: `
  if (!around.systemd) return `${what}${typed(around.commandLine)} --host vm`
  if (around.uid === 0) return `${what}${howToDelegate(around)}`
  // user@.service hands down only some of them unless told (systemd.resource-control(5), Delegate=).
  return `${what}sudo mkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | ` +
    'sudo tee /etc/systemd/system/user@.service.d/delegate.conf && sudo systemctl daemon-reload, then log out and in again'
}
