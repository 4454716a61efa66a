#!/usr/bin/env node
import { main } from './main.js'

// `harness report DIR | head`: a reader that has seen enough is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

const code = await main(process.argv.slice(2), {
  writeOut: text => process.stdout.write(text),
  writeErr: text => process.stderr.write(text)
})
// A command that ended as it should may have set one of its own: 130 after Ctrl-C, that of a command in the VM.
if (code !== 0) process.exitCode = code
