import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bestCpuVariant, cpuFlags } from '../cpu-variant.js'
import { serverVersion } from '../server-version.js'
import type { ServerBinary } from '../types.js'

/** What an installation folder says of itself in its `installation.json`; all paths relative to that folder. */
export interface Installation {
  /** `process.platform` and `process.arch` it is for. */
  readonly platform: string
  readonly arch: string
  readonly source: string
  readonly program: string
  /** The dynamic loader to run it with, for programs that need another libc than the machine's. */
  readonly loader?: string
  readonly libraryFolders?: readonly string[]
  /** Folder of `libggml-cpu-<variant>.so`. */
  readonly backendFolder?: string
}

const manifestName = 'installation.json'
const unfinishedPrefix = '.unfinished-'
const abandonedAfterMs = 60 * 60 * 1000

/** Where installations of llama-server lie, one folder each. */
export function installationsFolder (cache: string): string {
  return join(cache, 'llama-server')
}

/** Finished installations for this platform, newest first, as absolute folders. */
export async function finishedInstallations (cache: string): Promise<string[]> {
  const parent = installationsFolder(cache)
  const found: Array<{ folder: string, changedMs: number }> = []
  for (const name of await readdir(parent).catch(() => [])) {
    if (name.startsWith('.')) continue
    const folder = join(parent, name)
    const manifest = await readInstallation(folder).catch(() => undefined)
    if (manifest?.platform !== process.platform || manifest.arch !== process.arch) continue
    found.push({ folder, changedMs: (await stat(join(folder, manifestName))).mtimeMs })
  }
  return found.sort((a, b) => b.changedMs - a.changedMs).map(({ folder }) => folder)
}

/**
 * How to run the llama-server of an installation folder on this CPU.
 * @throws Error when it does not run, or no CPU backend in it fits this CPU.
 */
export async function installedServer (folder: string, from: string): Promise<ServerBinary> {
  const it = await readInstallation(folder)
  const program = join(folder, it.program)
  const env: Record<string, string> = {}
  if (it.backendFolder !== undefined) env['GGML_BACKEND_PATH'] = await cpuBackend(join(folder, it.backendFolder))
  const libraries = (it.libraryFolders ?? []).map(library => join(folder, library)).join(':')
  const run = it.loader === undefined
    ? { command: program, argsBefore: [], env, from }
    : { command: join(folder, it.loader), argsBefore: ['--library-path', libraries, program], env, from }
  return { ...run, version: await serverVersion(run) }
}

/**
 * Lets `fill` build an installation in a folder of its own, proves that its llama-server runs, and only then renames the folder to `name`.
 * Whoever installs the same name at the same time and comes second uses the first one's. On any failure nothing stays behind.
 */
export async function install (cache: string, name: string, fill: (folder: string) => Promise<Installation>): Promise<ServerBinary> {
  const parent = installationsFolder(cache)
  await mkdir(parent, { recursive: true })
  await removeAbandoned(parent)
  const unfinished = await mkdtemp(join(parent, unfinishedPrefix))
  const finished = join(parent, name)
  try {
    const manifest = await fill(unfinished)
    await writeFile(join(unfinished, manifestName), JSON.stringify(manifest, null, 2) + '\n')
    await installedServer(unfinished, manifest.source)
    await moveInto(unfinished, finished)
    return await installedServer(finished, manifest.source)
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}

async function moveInto (unfinished: string, finished: string): Promise<void> {
  try {
    await rename(unfinished, finished)
  } catch (error) {
    const theirs = await installedServer(finished, '').catch(() => undefined)
    if (theirs !== undefined) return
    await rm(finished, { recursive: true, force: true })
    await rename(unfinished, finished).catch(() => { throw error })
  }
}

/** A killed installation cannot clean up after itself; a later one does, once nobody can still be at work in it. */
async function removeAbandoned (parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(unfinishedPrefix)) continue
    const folder = join(parent, name)
    const changedMs = await stat(folder).then(({ mtimeMs }) => mtimeMs, () => Infinity)
    if (Date.now() - changedMs > abandonedAfterMs) await rm(folder, { recursive: true, force: true })
  }
}

async function readInstallation (folder: string): Promise<Installation> {
  return JSON.parse(await readFile(join(folder, manifestName), 'utf8')) as Installation
}

async function cpuBackend (folder: string): Promise<string> {
  const available = (await readdir(folder)).flatMap(file => /^libggml-cpu-(.+)\.so$/.exec(file)?.[1] ?? [])
  const variant = bestCpuVariant(cpuFlags(await readFile('/proc/cpuinfo', 'utf8')), available)
  if (variant === undefined) throw new Error(`${folder}: none of its CPU backends (${available.join(', ')}) fits the flags in /proc/cpuinfo`)
  return join(folder, `libggml-cpu-${variant}.so`)
}
