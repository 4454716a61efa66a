import { execFile } from 'node:child_process'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { dependsOf, loadOrder, moduleName, wantedModules } from './kernel-modules.js'

/** Debian 12 ships modules as they are, Debian 13 with xz, Ubuntu with zstd. */
const unpackers: Readonly<Record<string, string>> = { xz: 'xz', zst: 'zstd', gz: 'gzip' }

/**
 * Writes the modules that the VM needs, uncompressed, into `to`.
 * @param unpacked folder with the content of the kernel's packages
 * @returns file names in load order
 */
export async function unpackModules (unpacked: string, version: string, to: string): Promise<string[]> {
  const folder = await modulesFolder(unpacked, version)
  const files = new Map((await readdir(folder, { recursive: true })).filter(name => /\.ko(\.\w+)?$/.test(name)).map(name => [moduleName(name), join(folder, name)]))
  const builtIn = new Set((await readFile(join(folder, 'modules.builtin'), 'utf8')).split('\n').map(moduleName))
  const wanted = wantedModules.filter(name => !builtIn.has(name))

  const depends = new Map<string, string[]>()
  const reached = [...wanted]
  for (let name = reached.pop(); name !== undefined; name = reached.pop()) {
    const file = files.get(name)
    if (depends.has(name) || file === undefined) continue
    const module = await uncompressed(file)
    depends.set(name, dependsOf(module))
    reached.push(...dependsOf(module))
    await writeFile(join(to, `${name}.ko`), module)
  }
  return loadOrder(wanted, depends).map(name => `${name}.ko`)
}

async function modulesFolder (unpacked: string, version: string): Promise<string> {
  for (const lib of ['lib', 'usr/lib']) {
    const folder = join(unpacked, lib, 'modules', version)
    if (await stat(folder).then(stats => stats.isDirectory(), () => false)) return folder
  }
  throw new Error(`the kernel package has no lib/modules/${version}`)
}

async function uncompressed (file: string): Promise<Buffer> {
  const ending = file.split('.').at(-1) ?? ''
  if (ending === 'ko') return await readFile(file)
  const program = unpackers[ending]
  if (program === undefined) throw new Error(`${file}: kernel modules of this kind cannot be unpacked`)
  const { stdout } = await promisify(execFile)(program, ['-dc', file], { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 })
    .catch(error => { throw new Error(`${program} -dc ${file}: ${String(error)}; is ${program} installed?`) })
  return stdout
}
