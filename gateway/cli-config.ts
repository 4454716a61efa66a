import { checkConfig, readConfigFile } from './config.js'
import type { PolicyRegistry } from './config.js'
import type { Config } from './config-schema.js'
import { UsageError } from './usage-error.js'

/** Options of the command line, as text. They go over what the file says. */
export interface CliOptions {
  readonly config?: string
  readonly upstream?: string
  readonly host?: string
  readonly port?: string
  readonly model?: string
  readonly slots?: string
  readonly threads?: string
  readonly llamaServer?: string
  readonly apiKey?: string
  readonly logFile?: string
}

/**
 * The file's configuration with the command line's on top.
 * @throws UsageError
 */
export function configOf (options: CliOptions, env: NodeJS.ProcessEnv, registry: PolicyRegistry): Config {
  const file = options.config === undefined ? {} : readConfigFile(options.config, registry)
  const base: Partial<Config> = file
  const apiKey = options.apiKey ?? base.upstream?.apiKey ?? env['LLAMA_API_KEY']
  const url = options.upstream ?? base.upstream?.url
  if (url === undefined && options.apiKey !== undefined) throw new UsageError('--api-key is the key of the llama-server at --upstream URL; give that, too')
  if (url !== undefined) checkUrl(url)
  return checkConfig({
    ...base,
    listen: { ...base.listen, ...given('host', options.host), ...given('port', wholeNumber('--port', options.port)) },
    ...(url === undefined ? {} : { upstream: { url, ...given('apiKey', apiKey) } }),
    server: {
      ...base.server,
      ...given('model', options.model),
      ...given('slots', wholeNumber('--slots', options.slots)),
      ...given('threads', wholeNumber('--threads', options.threads)),
      ...given('binary', options.llamaServer)
    },
    log: { ...base.log, ...given('file', options.logFile) }
  }, registry)
}

function checkUrl (url: string): void {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    throw new UsageError(`--upstream ${url}: is not a URL; give one like http://127.0.0.1:8081`)
  }
  if (!/^https?:$/.test(parsed.protocol) || parsed.pathname !== '/' || parsed.search !== '') {
    throw new UsageError(`--upstream ${url}: must be http://HOST:PORT or https://HOST:PORT without a path`)
  }
}

function wholeNumber (flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d+$/.test(text)) throw new UsageError(`${flag} ${text}: must be a whole number`)
  return Number(text)
}

function given<V> (name: string, value: V | undefined): Record<string, V> {
  return value === undefined ? {} : { [name]: value }
}
