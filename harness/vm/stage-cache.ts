import { readdir } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { cacheFolder } from '../../models/cache.js'
import { ensureModel } from '../../models/ensure-model.js'
import { ensureServer } from '../../models/install/index.js'
import { installationsFolder } from '../../models/install/installation.js'
import type { ServerBinary } from '../../models/types.js'
import { stage } from './disk-images.js'
import { guest } from './guest-files.js'
import type { Accel } from './qemu.js'

export interface StagedCache {
  /** For the command in the VM. */
  readonly env: Readonly<Record<string, string>>
  /** In the order of the models asked for: what `--model` must be in the VM. */
  readonly models: readonly string[]
}

/** Of llama.cpp's CPU variants the fastest where each SIMD instruction is emulated (15M model: 16 to 18 tokens/s; AVX2: 5 to 7). */
const emulatedVariant = 'libggml-cpu-sse42.so'

/**
 * Puts llama-server, with its own libraries and loader, and models into a folder for the data disk, as a cache of Weir's: with `WEIR_CACHE`
 * (in `env`) the harness in the VM finds both as it does anywhere. On an emulated CPU only the variant `sse42` is there, so that it is used.
 * A llama-server of the user's own (PATH, `LLAMA_SERVER`) is not copied, its libraries are unknown: the VM runs it from the host's root file system.
 * @param models catalogue names or `.gguf` files
 * @param llamaServer path that the user named (`--llama-server`)
 */
export async function stageCache (folder: string, models: readonly string[], accel: Accel, onProgress: (text: string) => void, llamaServer?: string): Promise<StagedCache> {
  const server = await ensureServer({ onProgress, ...llamaServer === undefined ? {} : { explicit: llamaServer } })
  const installation = installationOf(server)
  const cache = join(guest.data, 'cache')
  if (installation === undefined) {
    onProgress(`llama-server (${server.from}) is not one of Weir's own: it runs from the host's root file system, what is read of its code shows in no disk counter`)
  } else {
    const keep = accel === 'tcg' ? await emulatedOnly(installation) : () => true
    await stage(installation, join(folder, 'cache', relative(cacheFolder(), installation)), keep)
  }
  return {
    env: { WEIR_CACHE: cache, ...installation === undefined ? { LLAMA_SERVER: server.command } : {} },
    models: await stageModels(folder, [...new Set(models)])
  }
}

async function stageModels (folder: string, models: readonly string[]): Promise<string[]> {
  const staged: string[] = []
  for (const name of models) {
    const { path } = await ensureModel(name)
    const inCache = relative(cacheFolder(), path)
    if (inCache.startsWith('..')) {
      await stage(path, join(folder, 'models', basename(path)))
      staged.push(join(guest.data, 'models', basename(path)))
    } else {
      await stage(path, join(folder, 'cache', inCache))
      await stage(`${path}.sha256`, join(folder, 'cache', `${inCache}.sha256`)).catch(() => {})
      staged.push(name)
    }
  }
  return staged
}

/** The folder in the cache that this llama-server was installed into. */
function installationOf ({ command }: ServerBinary): string | undefined {
  const parent = installationsFolder(cacheFolder())
  const [name = ''] = relative(parent, command).split('/')
  return name === '..' || name === '' ? undefined : join(parent, name)
}

/** True for all files but the CPU variants that are not for an emulated CPU; for all where that variant is missing. */
async function emulatedOnly (installation: string): Promise<(path: string) => boolean> {
  const has = (await readdir(installation, { recursive: true })).some(path => basename(path) === emulatedVariant)
  return path => !has || !/^libggml-cpu-.*\.so$/.test(basename(path)) || basename(path) === emulatedVariant
}
