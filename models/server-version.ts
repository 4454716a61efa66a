import { runCommand } from './command.js'
import type { ServerBinary } from './types.js'

/**
 * What `llama-server --version` says of itself, as `0.7.0 (build 11669, commit Debian)`; thereby also the proof that it runs here.
 * @throws Error when it does not run, does not end within 10 s, or does not answer like llama-server.
 */
export async function serverVersion (binary: Omit<ServerBinary, 'version'>): Promise<string> {
  const args = [...binary.argsBefore, '--version']
  const said = await runCommand(binary.command, args, { timeoutMs: 10_000, env: { ...process.env, ...binary.env } })
  const version = /^version: *(.+)$/m.exec(said)?.[1]
  if (version === undefined) {
    throw new Error(`${[binary.command, ...args].join(' ')}: no line "version: …" in its answer, is it llama-server? It said: ${said.trim().slice(0, 200)}`)
  }
  return version.trim()
}
