import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import type { FakeOptions } from './options.js'

/** llama-server's short options of several letters, which no option parser knows. */
const LONG_NAMES: Readonly<Record<string, string>> = {
  '-m': '--model',
  '-a': '--alias',
  '-np': '--parallel',
  '-c': '--ctx-size',
  '-t': '--threads',
  '-b': '--batch-size',
  '-cram': '--cache-ram'
}

const OPTIONS = {
  host: { type: 'string' },
  port: { type: 'string' },
  model: { type: 'string' },
  alias: { type: 'string' },
  parallel: { type: 'string' },
  'ctx-size': { type: 'string' },
  'batch-size': { type: 'string' },
  'api-key': { type: 'string' },
  threads: { type: 'string' },
  'cache-ram': { type: 'string' },
  metrics: { type: 'boolean' },
  slots: { type: 'boolean' },
  version: { type: 'boolean' },
  'slot-context-tokens': { type: 'string' },
  'prefill-ms-per-token': { type: 'string' },
  'decode-ms-per-token': { type: 'string' },
  'kv-pool-tokens': { type: 'string' },
  'answer-tokens': { type: 'string' },
  'loading-ms': { type: 'string' },
  'disconnect-notice-ms': { type: 'string' },
  'keep-alive-timeout-ms': { type: 'string' }
} as const

export interface FakeCommand {
  readonly options: FakeOptions
  readonly version: boolean
  /** Arguments it does not know; another llama-server might. */
  readonly ignored: readonly string[]
}

/**
 * llama-server's own options, those of `FakeOptions` in kebab case, and a speed by environment for a fake that is started as `LLAMA_SERVER`:
 * `FAKE_PREFILL_MS_PER_TOKEN`, `FAKE_DECODE_MS_PER_TOKEN`. `--slots N` is the number of slots; `--slots` alone is llama-server's switch.
 * @throws RangeError for a value that is not what its option takes.
 */
export function fakeCommand (args: readonly string[], env: Readonly<Record<string, string | undefined>>): FakeCommand {
  const { values, tokens } = parseArgs({ args: longNames(args), options: OPTIONS, strict: false, allowPositionals: true, tokens: true })
  const text = (name: string) => {
    const value = values[name]
    return typeof value === 'string' ? value : undefined
  }
  const number = (name: string, value = text(name)) => {
    if (value === undefined) return undefined
    if (value.trim() === '' || !(Number(value) >= 0)) throw new RangeError(`fake llama-server: --${name} is "${value}"; give a number of at least 0`)
    return Number(value)
  }
  const host = text('host') ?? '127.0.0.1'
  if (host !== '127.0.0.1' && host !== 'localhost') throw new RangeError(`fake llama-server: --host is "${host}"; it only listens on 127.0.0.1`)

  const slots = number('parallel')
  const contextTokens = number('ctx-size')
  const model = text('alias') ?? text('model')
  return {
    version: values['version'] === true,
    ignored: tokens.flatMap(token => token.kind === 'positional' ? [token.value] : token.kind === 'option' && !(token.name in OPTIONS) ? [token.rawName] : []),
    options: defined({
      port: number('port') ?? 0,
      slots,
      slotContextTokens: number('slot-context-tokens') ?? (contextTokens ? Math.floor(contextTokens / (slots ?? 4)) : undefined),
      batchTokens: number('batch-size'),
      prefillMsPerToken: number('prefill-ms-per-token', text('prefill-ms-per-token') ?? env['FAKE_PREFILL_MS_PER_TOKEN']),
      decodeMsPerToken: number('decode-ms-per-token', text('decode-ms-per-token') ?? env['FAKE_DECODE_MS_PER_TOKEN']),
      kvPoolTokens: number('kv-pool-tokens'),
      answerTokens: number('answer-tokens'),
      loadingMs: number('loading-ms'),
      disconnectNoticeMs: number('disconnect-notice-ms'),
      keepAliveTimeoutMs: number('keep-alive-timeout-ms'),
      apiKey: text('api-key') ?? env['LLAMA_API_KEY'],
      alias: model === undefined ? undefined : basename(model)
    })
  }
}

function longNames (args: readonly string[]): string[] {
  return args.map((arg, index) => {
    const next = args[index + 1]
    if (arg === '--slots' && next !== undefined && /^\d+$/.test(next)) return '--parallel'
    return LONG_NAMES[arg] ?? (/^-[a-z]{2,}$/.test(arg) ? `-${arg}` : arg)
  })
}

/** Without the fields that are undefined. */
function defined (options: { [K in keyof FakeOptions]: FakeOptions[K] | undefined }): FakeOptions {
  const settled: FakeOptions = {}
  return Object.assign(settled, Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)))
}
