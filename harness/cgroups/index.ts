import type { GroupHost } from './contract.js'

/** Where control groups can be made on this machine, or why not. */
export async function findGroupHost (): Promise<GroupHost> {
  return { ok: false, why: 'this build makes no control groups', mend: 'npx harness doctor' }
}
