#!/usr/bin/env node
import { main } from './main.js'

// `harness report DIR | head`: a reader that has seen enough is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

process.exitCode = await main(process.argv.slice(2), {
  writeOut: text => process.stdout.write(text),
  writeErr: text => process.stderr.write(text)
})
