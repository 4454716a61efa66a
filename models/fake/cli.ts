#!/usr/bin/env node
import { BUILD_INFO } from './answer-format.js'
import { fakeCommand } from './cli-options.js'
import { startFakeServer } from './fake-server.js'

try {
  const command = fakeCommand(process.argv.slice(2), process.env)
  if (command.version) console.error(`version: 0.0.0 (build ${BUILD_INFO})`)
  else {
    if (command.ignored.length > 0) console.error(`fake llama-server: ignored ${command.ignored.join(' ')}`)
    const server = await startFakeServer(command.options)
    console.error(`srv  llama_server: listening on ${server.url}`)
    const stop = async () => { await server.close() }
    process.once('SIGTERM', stop)
    process.once('SIGINT', stop)
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
