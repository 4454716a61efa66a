import type { ServerOptions } from '../../models/types.js'

type Launch = Omit<ServerOptions, 'logPath'>

/** From this build on there is only `--load-mode` (llama.cpp #28334, 2026-09); the two flags are far older. */
const LOAD_MODE_BUILD = 10_875

interface Loading {
  readonly map: boolean
  readonly lock: boolean
}

/** llama-server's way of loading the model, one side of it changed; the other stays as the launch has it. */
export function withLoading (server: Launch, change: Partial<Loading>): Launch {
  const { rest, loading } = loadingOf(server.extraArgs ?? [])
  const { map, lock } = { ...loading, ...change }
  return { ...server, extraArgs: [...rest, ...(knowsLoadMode(server.binary.version) ? loadMode(map, lock) : oldFlags(map, lock))] }
}

/** Builds that do not tell their number are taken for new ones. */
function knowsLoadMode (version: string): boolean {
  const build = /\bbuild (\d+)/.exec(version)?.[1] ?? /^(\d+)\b(?!\.)/.exec(version)?.[1]
  return build === undefined || Number(build) >= LOAD_MODE_BUILD
}

function loadMode (map: boolean, lock: boolean): string[] {
  if (map) return ['--load-mode', lock ? 'mmap+mlock' : 'mmap']
  return ['--load-mode', lock ? 'mlock' : 'none']
}

function oldFlags (map: boolean, lock: boolean): string[] {
  return [...(map ? [] : ['--no-mmap']), ...(lock ? ['--mlock'] : [])]
}

function loadingOf (args: readonly string[]): { readonly rest: string[], readonly loading: Loading } {
  const rest: string[] = []
  let loading: Loading = { map: true, lock: false }
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? ''
    if (arg === '--mlock') loading = { ...loading, lock: true }
    else if (arg === '--no-mmap') loading = { ...loading, map: false }
    else if (arg === '--load-mode' || arg === '-lm') {
      const mode = args[++i] ?? ''
      loading = { map: mode.includes('mmap') || mode === 'auto', lock: mode.includes('mlock') }
    } else rest.push(arg)
  }
  return { rest, loading }
}
