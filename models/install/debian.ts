import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onPath, runCommand, whyNotExecutable } from '../command.js'
import { errorMessage } from '../error-message.js'
import type { ServerBinary } from '../types.js'
import { downloadPackages, unpackPackages } from './apt-packages.js'
import { aptMirrors } from './apt-sources.js'
import { install } from './installation.js'
import type { Installation } from './installation.js'

export interface DebianOptions {
  readonly cache: string
  readonly onProgress: (text: string) => void
  /** The machine's apt configuration. */
  readonly aptFolder?: string
  /** Where Debian's archive keys may lie; the first that exists is used. */
  readonly keyrings?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

const suite = 'forky'
const packages = ['llama.cpp-tools', 'libllama0', 'libggml0', 'libc6', 'libgomp1', 'libstdc++6', 'libgcc-s1', 'libssl3t64', 'libzstd1', 'zlib1g']
const architectures: Readonly<Record<string, { debian: string, triplet: string, loader: string } | undefined>> = {
  x64: { debian: 'amd64', triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { debian: 'arm64', triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' }
}
const defaultKeyrings = ['gpg', 'pgp'].map(ending => `/usr/share/keyrings/debian-archive-keyring.${ending}`)
const commandTimeoutMs = 120_000

/**
 * Unpacks Debian's llama-server with the libraries it was built for into the cache: no root, nothing of the system's apt or dpkg state is
 * read or written except its mirrors, proxies and keyring. apt checks the signatures; what it cannot verify is an error.
 * @throws Error that says for each mirror why it would not do.
 */
export async function installFromDebian (options: DebianOptions): Promise<ServerBinary> {
  const arch = architectures[process.arch]
  if (process.platform !== 'linux' || arch === undefined) throw new Error(`only for Linux on x64 and arm64, this is ${process.platform} on ${process.arch}`)
  const env = { ...(options.env ?? process.env), LC_ALL: 'C' }
  const [apt, dpkg] = [await onPath('apt-get', env), await onPath('dpkg', env)]
  if (apt === undefined || dpkg === undefined) throw new Error('needs apt-get and dpkg, they are not on PATH')
  const aptFolder = options.aptFolder ?? '/etc/apt'
  const keyring = await firstReadable(options.keyrings ?? defaultKeyrings)
  const mirrors = await aptMirrors(aptFolder)
  if (mirrors.length === 0) throw new Error(`no mirror in ${aptFolder}/sources.list or ${aptFolder}/sources.list.d`)

  const failures: string[] = []
  for (const mirror of mirrors.slice(0, 3)) {
    try {
      return await install(options.cache, `debian-${suite}-${arch.debian}`, async folder => {
        const work = join(folder, 'apt')
        options.onProgress(`reading the package list of Debian ${suite} from ${mirror}`)
        const config = await writeConfig(work, { mirror, keyring, architecture: arch.debian })
        await runCommand(apt, ['-q', '-c', config, 'update'], { timeoutMs: commandTimeoutMs, env })
        options.onProgress(`downloading ${packages.length} Debian packages of llama-server (about 13 MB)`)
        await downloadPackages({ apt, options: ['-c', config], packages, work, env })
        options.onProgress('unpacking llama-server')
        await unpackPackages({ dpkg, work, folder, env })
        await rm(work, { recursive: true })
        return layout(arch)
      })
    } catch (error) {
      failures.push(`${mirror} (suite ${suite}): ${errorMessage(error)}`)
    }
  }
  throw new Error(failures.join('; '))
}

function layout ({ triplet, loader }: { triplet: string, loader: string }): Installation {
  const libraries = join('usr', 'lib', triplet)
  return {
    platform: process.platform,
    arch: process.arch,
    source: `Debian ${suite}`,
    program: join('usr', 'bin', 'llama-server'),
    loader: join(libraries, loader),
    libraryFolders: [libraries, join(libraries, 'llama')],
    backendFolder: join(libraries, 'ggml', 'backends0')
  }
}

/** An apt configuration read after the machine's own (which may name proxies): everything that is state or policy points into `work`. */
async function writeConfig (work: string, { mirror, keyring, architecture }: { mirror: string, keyring: string, architecture: string }): Promise<string> {
  for (const folder of ['state/lists/partial', 'cache/archives/partial']) await mkdir(join(work, folder), { recursive: true })
  const sources = join(work, 'sources.list')
  await writeFile(sources, `deb [signed-by=${keyring} arch=${architecture}] ${mirror} ${suite} main\n`)
  const config = join(work, 'apt.conf')
  await writeFile(config, `Dir::State "${join(work, 'state')}";
Dir::State::lists "lists";
Dir::State::status "/dev/null";
Dir::Cache "${join(work, 'cache')}";
Dir::Etc::sourcelist "${sources}";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Architectures;
APT::Architecture "${architecture}";
APT::Architectures { "${architecture}"; };
APT::Default-Release "";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "5";
Acquire::https::Timeout "5";
`)
  return config
}

async function firstReadable (paths: readonly string[]): Promise<string> {
  for (const path of paths) {
    if (await whyNotExecutable(path) !== 'does not exist') return path
  }
  throw new Error(`needs Debian's archive keys to verify what it downloads, but there is no ${paths.join(' or ')} (package debian-archive-keyring)`)
}
