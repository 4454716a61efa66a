import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { cacheFolder } from '../../models/cache.js'
import { onPath, runCommand } from '../../models/command.js'
import { errorMessage } from '../../models/error-message.js'
import { downloadPackages, unpackPackages } from '../../models/install/apt-packages.js'
import { unpackModules } from './module-files.js'

/** What the VM boots: a distribution's kernel, the modules it needs, and a static busybox. Lies in the cache, is never installed. */
export interface VmKernel {
  /** As `uname -r` says. */
  readonly version: string
  readonly vmlinuz: string
  /** In load order. */
  readonly modules: readonly string[]
  readonly busybox: string
}

/** Packages that depend on the newest kernel with 9p: Debian's, Ubuntu's. The `-cloud-` and `-kvm` flavours lack 9p. */
const metaPackages = ['linux-image-amd64', 'linux-image-generic']
/** Part of the folder's name: raise it when the folder's content changes. */
const layoutVersion = 1
const noteName = 'kernel.json'

function parentFolder (env: NodeJS.ProcessEnv): string {
  return join(cacheFolder(env), 'vm')
}

/** The newest kernel of the cache; undefined when there is none. */
export async function cachedKernel (env: NodeJS.ProcessEnv = process.env): Promise<VmKernel | undefined> {
  const parent = parentFolder(env)
  const names = (await readdir(parent).catch(() => [])).filter(name => name.startsWith(`kernel-v${layoutVersion}-`))
  const [name] = names.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
  if (name === undefined) return undefined
  const folder = join(parent, name)
  const { version, modules } = JSON.parse(await readFile(join(folder, noteName), 'utf8')) as { version: string, modules: string[] }
  return { version, vmlinuz: join(folder, 'vmlinuz'), busybox: join(folder, 'busybox'), modules: modules.map(module => join(folder, 'modules', module)) }
}

/**
 * The kernel of the cache, or else one downloaded with the machine's own apt: its sources, proxies, lists and keys. Without root.
 * @throws Error that says what was tried and what to type
 */
export async function ensureKernel (onProgress: (text: string) => void, env: NodeJS.ProcessEnv = process.env): Promise<VmKernel> {
  const cached = await cachedKernel(env)
  if (cached !== undefined) return cached
  const parent = parentFolder(env)
  await mkdir(parent, { recursive: true })
  const unfinished = await mkdtemp(join(parent, '.unfinished-'))
  try {
    const version = await fetchKernel(unfinished, onProgress, { ...env, LC_ALL: 'C' })
    const finished = join(parent, `kernel-v${layoutVersion}-${version}`)
    // Whoever comes second keeps the first one's.
    await rename(join(unfinished, 'finished'), finished).catch(() => {})
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
  const fetched = await cachedKernel(env)
  if (fetched === undefined) throw new Error(`${parent}: the kernel was unpacked but is not there; try again`)
  return fetched
}

async function fetchKernel (folder: string, onProgress: (text: string) => void, env: NodeJS.ProcessEnv): Promise<string> {
  const [apt, aptCache, dpkg] = [await onPath('apt-get', env), await onPath('apt-cache', env), await onPath('dpkg', env)]
  if (apt === undefined || aptCache === undefined || dpkg === undefined) {
    throw new Error('the VM\'s kernel comes as a Debian or Ubuntu package, but apt-get, apt-cache and dpkg are not on PATH; run it on Debian or Ubuntu, or on a host with cgroup v2 without a VM')
  }
  const packages = [...await kernelPackages(aptCache, env), 'busybox-static']
  onProgress(`downloading ${packages.join(', ')} (about 75 MB, once)`)
  const [work, unpacked] = [join(folder, 'work'), join(folder, 'unpacked')]
  await mkdir(work)
  try {
    await downloadPackages({ apt, options: ['-o', 'APT::Sandbox::User=root'], packages, work, env })
  } catch (error) {
    throw new Error(`${errorMessage(error)}. If its package lists are old: sudo apt-get update`)
  }
  onProgress('unpacking the kernel')
  await unpackPackages({ dpkg, work, folder: unpacked, env })
  return await keepNeeded(unpacked, join(folder, 'finished'))
}

async function kernelPackages (aptCache: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  for (const meta of metaPackages) {
    const image = kernelDepends(await runCommand(aptCache, ['depends', meta], { timeoutMs: 30_000, env }).catch(() => ''))
    if (image.length === 0) continue
    const more = kernelDepends(await runCommand(aptCache, ['depends', ...image], { timeoutMs: 30_000, env }))
    return [...new Set([...image, ...more])]
  }
  throw new Error(`apt knows neither ${metaPackages.join(' nor ')}: its package lists are empty or lack them; type: sudo apt-get update`)
}

/** Kernel packages of one version (`linux-image-6.1.0-56-amd64`) in the output of `apt-cache depends`. */
export function kernelDepends (text: string): string[] {
  return [...text.matchAll(/^ [ |]Depends: (linux-(?:image|modules)-\d\S*)$/gm)].map(match => match[1] ?? '')
}

async function keepNeeded (unpacked: string, to: string): Promise<string> {
  await mkdir(join(to, 'modules'), { recursive: true })
  const vmlinuz = (await readdir(join(unpacked, 'boot'))).find(name => name.startsWith('vmlinuz-'))
  if (vmlinuz === undefined) throw new Error('the kernel package has no /boot/vmlinuz-…')
  await copyFile(join(unpacked, 'boot', vmlinuz), join(to, 'vmlinuz'))
  const version = vmlinuz.slice('vmlinuz-'.length)
  const modules = await unpackModules(unpacked, version, join(to, 'modules'))
  const busybox = (await readdir(unpacked, { recursive: true })).find(name => basename(name) === 'busybox' && /(^|\/)bin\/busybox$/.test(name))
  if (busybox === undefined) throw new Error('the package busybox-static has no bin/busybox')
  await copyFile(join(unpacked, busybox), join(to, 'busybox'))
  await chmod(join(to, 'busybox'), 0o755)
  await writeFile(join(to, noteName), JSON.stringify({ version, modules }, null, 2) + '\n')
  return version
}
