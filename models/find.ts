import { delimiter, join, resolve } from 'node:path'
import { cacheFolder } from './cache.js'
import { whyNotExecutable } from './command.js'
import { errorMessage } from './error-message.js'
import { finishedInstallations, installationsFolder, installedServer } from './install/installation.js'
import { serverVersion } from './server-version.js'
import type { ServerBinary } from './types.js'

export interface FindOptions {
  /** Path given by the user (`--llama-server`). It, or else `LLAMA_SERVER`, is used or is an error: nothing else is tried. */
  readonly explicit?: string
  readonly env?: NodeJS.ProcessEnv
  /** Told of each place that was looked at in vain, and why. */
  readonly onTry?: (what: string) => void
}

/** No llama-server anywhere; `tried` has one line for each place that was looked at. */
export class ServerNotFoundError extends Error {
  constructor (readonly tried: readonly string[]) {
    super(['No llama-server found. Looked at:', ...tried.map(line => `  ${line}`),
      'Install llama.cpp, or name the program with --llama-server PATH or LLAMA_SERVER=PATH.'].join('\n'))
    this.name = 'ServerNotFoundError'
  }
}

/**
 * Finds a llama-server that runs here: the explicit path, `LLAMA_SERVER`, `PATH`, then Weir's cache.
 * @throws ServerNotFoundError; or Error when a path that the user named is not a llama-server that runs.
 */
export async function findServer (options: FindOptions = {}): Promise<ServerBinary> {
  const env = options.env ?? process.env
  if (options.explicit !== undefined) return await namedServer(options.explicit, '--llama-server')
  if (env['LLAMA_SERVER']) return await namedServer(env['LLAMA_SERVER'], 'LLAMA_SERVER')

  const tried: string[] = []
  const inVain = (what: string): void => {
    tried.push(what)
    options.onTry?.(what)
  }
  return await serverOnPath(env, inVain) ?? await serverInCache(cacheFolder(env), inVain) ?? fail(tried)
}

function fail (tried: readonly string[]): never {
  throw new ServerNotFoundError(tried)
}

async function namedServer (named: string, from: string): Promise<ServerBinary> {
  const path = resolve(named)
  const trouble = await whyNotExecutable(path)
  if (trouble !== undefined) throw new Error(`${from}: ${path} ${trouble}. Give the path of a llama-server program, or leave ${from} away to have one found or installed.`)
  try {
    return await programAt(path, from)
  } catch (error) {
    throw new Error(`${from}: ${errorMessage(error)}. Give the path of a llama-server that runs here, or leave ${from} away to have one found or installed.`)
  }
}

async function serverOnPath (env: NodeJS.ProcessEnv, inVain: (what: string) => void): Promise<ServerBinary | undefined> {
  for (const folder of (env['PATH'] ?? '').split(delimiter).filter(part => part !== '')) {
    const path = join(folder, 'llama-server')
    if (await whyNotExecutable(path) !== undefined) continue
    try {
      return await programAt(path, 'PATH')
    } catch (error) {
      inVain(`PATH: ${errorMessage(error)}`)
    }
  }
  inVain('PATH: no llama-server that runs')
  return undefined
}

async function serverInCache (cache: string, inVain: (what: string) => void): Promise<ServerBinary | undefined> {
  for (const folder of await finishedInstallations(cache)) {
    try {
      return await installedServer(folder, 'cache')
    } catch (error) {
      inVain(`cache: ${errorMessage(error)}`)
    }
  }
  inVain(`cache: no installation that runs in ${installationsFolder(cache)}`)
  return undefined
}

async function programAt (command: string, from: string): Promise<ServerBinary> {
  const run = { command, argsBefore: [], env: {}, from }
  return { ...run, version: await serverVersion(run) }
}
