import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parentDeathWrapper } from '../../models/wrappers.js'
import { packageRoot } from '../package-root.js'
import type { Grant } from '../types.js'
import { onCpus } from './on-cpus.js'

export interface GatewayOptions {
  readonly upstreamUrl: string
  readonly upstreamApiKey: string
  /** As the config file takes them, outermost first. */
  readonly policies: ReadonlyArray<Readonly<Record<string, unknown>>>
  /** Of callers, with what they grant; none: everybody may call. Its configuration gets their hashes. */
  readonly apiKeys?: readonly CallerKey[]
  /** Holds `gateway.json` (its config), `gateway.ndjson` (its record) and `gateway.log` (what it says on stderr). */
  readonly folder: string
  readonly cpus: readonly number[]
  /** Milliseconds until it must listen; 120,000 by default: on an emulated CPU of a busy host, Node takes 25 s to load it. */
  readonly startTimeoutMs?: number
}

export interface CallerKey extends Grant {
  readonly name: string
  readonly key: string
}

export interface GatewayProcess {
  readonly url: string
  readonly pid: number
  /** Names of the policies that the running gateway says are on: read back from it, not from its config. */
  readonly policies: readonly string[]
  stop (): Promise<void>
}

/** Starts the gateway as a user would: its CLI, a config file, a port of its own; talks to it by HTTP only. It does not outlive our process, however that ends. */
export async function startGateway (options: GatewayOptions): Promise<GatewayProcess> {
  const { folder, apiKeys = [] } = options
  const configPath = `${folder}/gateway.json`
  const recordPath = `${folder}/gateway.ndjson`
  writeFileSync(configPath, JSON.stringify({
    listen: { host: '127.0.0.1', port: 0 },
    upstream: { url: options.upstreamUrl },
    policies: options.policies,
    ...(apiKeys.length === 0 ? {} : { apiKeys: apiKeys.map(({ name, key, ...grant }) => ({ name, sha256: createHash('sha256').update(key).digest('hex'), ...grant })) }),
    log: { file: recordPath }
  }, null, 2) + '\n')
  const log = openSync(`${folder}/gateway.log`, 'a')
  const [command, args] = onCpus(options.cpus, process.execPath, [`${packageRoot()}/dist/gateway/cli.js`, '--config', configPath])
  const [program = command, ...rest] = [...await parentDeathWrapper(process.env) ?? [], command, ...args]
  const child = spawn(program, rest, { stdio: ['ignore', 'ignore', log], env: { ...process.env, LLAMA_API_KEY: options.upstreamApiKey } })
  closeSync(log)
  const exited = once(child, 'exit')
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    const kill = setTimeout(() => child.kill('SIGKILL'), 5000)
    await exited
    clearTimeout(kill)
  }
  try {
    const url = await listeningUrl(recordPath, () => child.exitCode !== null, options.startTimeoutMs ?? 120_000)
    const status = await (await fetch(`${url}/weir/status`, { headers: apiKeys[0] === undefined ? {} : { authorization: `Bearer ${apiKeys[0].key}` } })).json() as { policies?: ReadonlyArray<{ name: string }> }
    return { url, pid: child.pid ?? 0, policies: (status.policies ?? []).map(policy => policy.name), stop }
  } catch (error) {
    await stop()
    const said = readFileSync(`${folder}/gateway.log`, 'utf8').trim().split('\n').slice(-15).join('\n')
    throw new Error(`the gateway did not start: ${error instanceof Error ? error.message : String(error)}\n${said}`)
  }
}

/** The gateway writes `{ msg: 'listening', url }` as a line of its log. */
async function listeningUrl (recordPath: string, ended: () => boolean, timeoutMs: number): Promise<string> {
  const until = performance.now() + timeoutMs
  while (performance.now() < until) {
    if (ended()) throw new Error('it ended before it listened')
    let text = ''
    try { text = readFileSync(recordPath, 'utf8') } catch {}
    for (const line of text.split('\n').slice(0, -1)) {
      const entry = JSON.parse(line) as { msg?: string, url?: string }
      if (entry.msg === 'listening' && entry.url !== undefined) return entry.url
    }
    await sleep(20)
  }
  throw new Error(`it did not listen within ${timeoutMs} ms`)
}
