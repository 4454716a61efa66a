import { cacheFolder } from '../cache.js'
import { errorMessage } from '../error-message.js'
import { findServer, ServerNotFoundError } from '../find.js'
import type { ServerBinary } from '../types.js'
import { installFromArchive } from './archive.js'
import { installFromDebian } from './debian.js'

export interface EnsureOptions {
  /** Path given by the user (`--llama-server`). */
  readonly explicit?: string
  readonly env?: NodeJS.ProcessEnv
  /** One line for each step, as it begins. */
  readonly onProgress: (text: string) => void
  /** Where to install from, in this order. */
  readonly sources?: readonly Source[]
}

export interface Source {
  readonly name: string
  install (to: { readonly cache: string, readonly env: NodeJS.ProcessEnv, readonly onProgress: (text: string) => void }): Promise<ServerBinary>
}

const defaultSources: readonly Source[] = [
  {
    name: 'official release archive',
    install: ({ cache, env, onProgress }) => {
      const releasesUrl = env['WEIR_LLAMA_RELEASES_URL']
      return installFromArchive(releasesUrl ? { cache, onProgress, releasesUrl } : { cache, onProgress })
    }
  },
  { name: 'Debian packages', install: installFromDebian }
]

/**
 * Finds llama-server, or installs it into Weir's cache: without root, without touching the system.
 * @throws Error that lists everything tried and why it failed; or the error about a path the user named (then nothing is installed).
 */
export async function ensureServer (options: EnsureOptions): Promise<ServerBinary> {
  const env = options.env ?? process.env
  const { onProgress } = options
  try {
    return await findServer(options.explicit === undefined ? { env } : { env, explicit: options.explicit })
  } catch (error) {
    if (!(error instanceof ServerNotFoundError)) throw error
    onProgress('no llama-server on this machine, installing one')
    return await installServer(options.sources ?? defaultSources, { cache: cacheFolder(env), env, onProgress }, error.tried)
  }
}

async function installServer (sources: readonly Source[], to: Parameters<Source['install']>[0], looked: readonly string[]): Promise<ServerBinary> {
  const failures: string[] = []
  for (const source of sources) {
    try {
      const server = await source.install(to)
      to.onProgress(`installed llama-server ${server.version} from ${server.from}`)
      return server
    } catch (error) {
      failures.push(`${source.name}: ${errorMessage(error)}`)
      to.onProgress(`${source.name}: did not work, ${errorMessage(error)}`)
    }
  }
  throw new Error(['No llama-server found, and none could be installed. Tried:', ...[...looked, ...failures].map(line => `  ${line}`),
    'Install llama.cpp (https://github.com/ggml-org/llama.cpp) and set LLAMA_SERVER to the path of its llama-server.'].join('\n'))
}
