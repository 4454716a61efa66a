#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { policyFactories } from '../policies/index.js'
import { configOf } from './cli-config.js'
import type { CliOptions } from './cli-config.js'
import { runGateway } from './run.js'
import { UsageError } from './usage-error.js'

const program = new Command('gateway')
  .description('Admission gateway in front of llama.cpp\'s llama-server. Without --upstream it starts llama-server itself.')
  .version(version())
  .option('--config <file>', 'configuration, JSON')
  .option('--upstream <url>', 'a running llama-server, e.g. http://127.0.0.1:8081')
  .option('--api-key <key>', 'key of that llama-server (better: environment LLAMA_API_KEY)')
  .option('--host <address>', 'address to listen on (default 127.0.0.1)')
  .option('--port <port>', 'port to listen on, 0 for any free one (default 8080)')
  .option('--model <name>', 'model of the llama-server that is started')
  .option('--slots <n>', 'its slots (default 4)')
  .option('--threads <n>', 'its threads (default: CPUs less one)')
  .option('--llama-server <path>', 'its program (default: LLAMA_SERVER, PATH, or installed)')
  .option('--log-file <file>', 'where the log goes (default: stdout)')
  .allowExcessArguments(false)
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .action(async (options: CliOptions) => { await main(options) })

try {
  await program.parseAsync()
} catch (error) {
  complain(error instanceof Error ? error.message : String(error))
  process.exit(error instanceof UsageError ? 2 : 1)
}

async function main (options: CliOptions): Promise<void> {
  const config = configOf(options, process.env, policyFactories)
  // What finds, installs and starts llama-server takes a while to load, and with an upstream nobody needs it.
  const server = config.upstream === undefined ? await (await import('./launch.js')).launchServer(config.server, complain) : undefined
  const upstream = config.upstream ?? server
  if (upstream === undefined) return
  try {
    const gateway = await runGateway({ config, upstream, registry: policyFactories })
    // Before it is said that we listen: who reads that may send the signal at once.
    const signal = firstSignal()
    process.stderr.write(`listening on ${gateway.url}\n`)
    const end = await Promise.race([signal, ...(server === undefined ? [] : [server.givenUp])])
    await gateway.stop()
    if (end instanceof Error) throw end
  } finally {
    await server?.stop()
  }
  process.exit(0)
}

/** The first SIGTERM or SIGINT drains; a second one ends the process at once. */
async function firstSignal (): Promise<'signal'> {
  return await new Promise(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        for (const again of ['SIGTERM', 'SIGINT'] as const) process.on(again, () => process.exit(1))
        resolve('signal')
      })
    }
  })
}

function complain (line: string): void {
  process.stderr.write(`gateway: ${line}\n`)
}

function version (): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return String(Reflect.get(Object(manifest), 'version'))
}
