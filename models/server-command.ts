import type { ServerOptions } from './types.js'

/** How to start one process: what a shell would call a simple command. */
export interface ServerCommand {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** `env NAME=value… command args…`, the API key as `***`. */
  readonly shown: readonly string[]
}

export interface ServerPlace {
  readonly port: number
  readonly apiKey: string
  /** Programs that exec the next one, each with its arguments, outermost first. */
  readonly wrappers: ReadonlyArray<readonly string[]>
}

/** Options of llama-server that Weir sets itself. */
const ours = ['-m', '--model', '--host', '--port', '--reuse-port', '--api-key', '--api-key-file', '--ssl-key-file', '--ssl-cert-file',
  '-np', '--parallel', '-c', '--ctx-size', '-t', '--threads', '-b', '--batch-size', '-cram', '--cache-ram', '--metrics', '--slots', '--no-slots']

/**
 * The command line for llama-server. The API key goes by environment, where `ps` does not show it; `LLAMA_ARG_…` variables of ours
 * are kept from it, so that the command line is all there is to know.
 * @throws Error about an option that is out of range, or an extra argument that contradicts one that Weir sets.
 */
export function serverCommand (options: ServerOptions, place: ServerPlace, inherited: NodeJS.ProcessEnv): ServerCommand {
  const { binary, model, slots, slotContextTokens, threads, batchTokens, cacheRamMib = 0, extraArgs = [] } = options
  for (const [name, value] of Object.entries({ slots, slotContextTokens, threads, batchTokens })) {
    if (!Number.isSafeInteger(value) || value < 1) throw new Error(`llama-server: ${name} is ${value}, but must be a whole number of at least 1`)
  }
  if (!Number.isSafeInteger(cacheRamMib) || cacheRamMib < 0) throw new Error(`llama-server: cacheRamMib is ${cacheRamMib}, but must be a whole number of at least 0`)
  const taken = extraArgs.find(arg => ours.includes(arg.split('=', 1)[0] ?? ''))
  if (taken !== undefined) throw new Error(`llama-server: extraArgs may not contain ${taken}, Weir sets it itself`)

  const own = ['-m', model.path, '--host', '127.0.0.1', '--port', String(place.port),
    '-np', String(slots), '-c', String(slots * slotContextTokens), '-t', String(threads), '-b', String(batchTokens),
    '--cache-ram', String(cacheRamMib), '--metrics', '--slots', ...extraArgs]
  const [command = binary.command, ...args] = [...place.wrappers.flat(), binary.command, ...binary.argsBefore, ...own]
  const shownEnv = Object.entries({ ...binary.env, LLAMA_API_KEY: '***' }).map(([name, value]) => `${name}=${value}`)
  return {
    command,
    args,
    env: { ...withoutServerSettings(inherited), ...binary.env, LLAMA_API_KEY: place.apiKey },
    shown: ['env', ...shownEnv, command, ...args]
  }
}

function withoutServerSettings (env: NodeJS.ProcessEnv): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !name.startsWith('LLAMA_ARG_')) kept[name] = value
  }
  return kept
}
