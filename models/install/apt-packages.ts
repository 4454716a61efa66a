import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '../command.js'

const commandTimeoutMs = 120_000

export interface PackageDownload {
  readonly apt: string
  /** Of apt-get, before `download`: another configuration (`-c FILE`), say; none: the machine's own sources, lists and keys. */
  readonly options: readonly string[]
  readonly packages: readonly string[]
  /** Must exist; the `.deb` files lie in it afterwards. */
  readonly work: string
  readonly env: NodeJS.ProcessEnv
}

/**
 * Downloads packages without installing them, without root. apt compares their checksums with those of its signed lists.
 * @throws Error with apt's last lines: a package it does not know, a mirror that does not answer, a wrong checksum.
 */
export async function downloadPackages ({ apt, options, packages, work, env }: PackageDownload): Promise<void> {
  await runCommand(apt, ['-q', ...options, 'download', ...packages], { timeoutMs: commandTimeoutMs, env, cwd: work })
}

/** Unpacks every `.deb` of `work` into `folder`; no script of a package is run. */
export async function unpackPackages ({ dpkg, work, folder, env }: { readonly dpkg: string, readonly work: string, readonly folder: string, readonly env: NodeJS.ProcessEnv }): Promise<void> {
  for (const file of (await readdir(work)).filter(name => name.endsWith('.deb'))) {
    await runCommand(dpkg, ['-x', join(work, file), folder], { timeoutMs: commandTimeoutMs, env })
  }
}
