import { readdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { extract } from 'tar'
import type { ServerBinary } from '../types.js'
import { download, fetchJson } from './download.js'
import type { DownloadLimits } from './download.js'
import { install } from './installation.js'

export interface ArchiveOptions {
  readonly cache: string
  readonly onProgress: (text: string) => void
  /** In place of `https://api.github.com/repos/ggml-org/llama.cpp/releases`: the answers must have the form of GitHub's releases API. */
  readonly releasesUrl?: string
  readonly limits?: DownloadLimits
}

/** The release that is installed. Its checksums come from the API (`digest` of each asset), which GitHub computes at upload. */
export const pinnedBuild = 'b11540'

const defaultReleasesUrl = 'https://api.github.com/repos/ggml-org/llama.cpp/releases'
const defaultLimits: DownloadLimits = { connectMs: 5000, idleMs: 10_000, totalMs: 300_000 }
const platforms: Readonly<Record<string, string | undefined>> = {
  'linux x64': 'ubuntu-x64',
  'linux arm64': 'ubuntu-arm64',
  'darwin x64': 'macos-x64',
  'darwin arm64': 'macos-arm64'
}

interface Asset {
  readonly name: string
  readonly browser_download_url: string
  readonly digest?: string | null
}

/**
 * Installs llama.cpp's official release archive into the cache.
 * @throws Error when there is none for this platform, it cannot be had, its checksum is missing or wrong, or it does not run here.
 */
export async function installFromArchive (options: ArchiveOptions): Promise<ServerBinary> {
  const platform = platforms[`${process.platform} ${process.arch}`]
  if (platform === undefined) throw new Error(`no official archive for ${process.platform} on ${process.arch}`)
  const limits = options.limits ?? defaultLimits
  const releaseUrl = `${(options.releasesUrl ?? defaultReleasesUrl).replace(/\/+$/, '')}/tags/${pinnedBuild}`

  options.onProgress(`asking ${new URL(releaseUrl).host} for llama.cpp ${pinnedBuild}`)
  const name = `llama-${pinnedBuild}-bin-${platform}.tar.gz`
  const asset = assetsOf(await fetchJson(releaseUrl, limits)).find(one => one.name === name)
  if (asset === undefined) throw new Error(`${releaseUrl}: the release has no file ${name}`)
  const sha256 = /^sha256:([0-9a-f]{64})$/.exec(asset.digest ?? '')?.[1]
  if (sha256 === undefined) throw new Error(`${releaseUrl}: no SHA-256 for ${name}, so it cannot be verified`)

  return await install(options.cache, `archive-${pinnedBuild}-${platform}`, async folder => {
    const path = join(folder, name)
    await download({
      url: asset.browser_download_url,
      path,
      sha256,
      limits,
      onProgress: (doneBytes, totalBytes) => options.onProgress(`downloading ${name}: ${megabytes(doneBytes)} of ${totalBytes === undefined ? '?' : megabytes(totalBytes)} MB`)
    })
    options.onProgress('unpacking llama-server')
    await extract({ file: path, cwd: folder, strict: true, preserveOwner: false })
    await rm(path)
    const program = (await readdir(folder, { recursive: true })).find(file => basename(file) === 'llama-server')
    if (program === undefined) throw new Error(`${asset.browser_download_url}: no llama-server in it`)
    return { platform: process.platform, arch: process.arch, source: `archive ${pinnedBuild}`, program }
  })
}

function assetsOf (release: unknown): Asset[] {
  const assets: unknown = typeof release === 'object' && release !== null && 'assets' in release ? release.assets : undefined
  return Array.isArray(assets) ? assets.filter(isAsset) : []
}

function isAsset (value: unknown): value is Asset {
  return typeof value === 'object' && value !== null &&
    'name' in value && typeof value.name === 'string' &&
    'browser_download_url' in value && typeof value.browser_download_url === 'string' &&
    (!('digest' in value) || value.digest === null || typeof value.digest === 'string')
}

function megabytes (bytes: number): string {
  return (bytes / 1e6).toFixed(1)
}
