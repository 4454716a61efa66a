import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Test } from 'tap'
import { parentDeathWrapper } from './wrappers.js'

/** A folder that is gone after the test; outside any package, so that a script without ending is CommonJS. */
export async function temporaryFolder (t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-test-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Writes an executable script. */
export async function program (path: string, ...lines: string[]): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, lines.join('\n') + '\n')
  await chmod(path, 0o755)
  return path
}

/** A shell script that knows `--version` only, as llama-server writes it. */
export async function versionProgram (path: string, version: string): Promise<string> {
  return await program(path, '#!/bin/sh', `echo "version: ${version}" >&2`)
}

/** A llama-server that can be started; `behaviour` is JavaScript run before it listens, which may change `status (request)`. */
export async function fakeServer (path: string, behaviour = ''): Promise<string> {
  return await program(path, '#!/usr/bin/env node', `
const args = process.argv.slice(2)
const key = 'Bearer ' + process.env.LLAMA_API_KEY
let status = request => request.url === '/health' || request.headers.authorization === key ? 200 : 401
${behaviour}
const server = require('node:http').createServer((request, response) => {
  response.statusCode = status(request)
  response.end(JSON.stringify({ args, cpus: process.env.LLAMA_ARG_THREADS ?? null }))
})
server.on('error', () => { console.error("couldn't bind HTTP server socket"); process.exit(1) })
server.listen(Number(args[args.indexOf('--port') + 1]), args[args.indexOf('--host') + 1])`)
}

/** A program that ends with us even if we are killed, as a test that takes too long is: nothing of it is left to those after it. */
export async function spawnGuarded (command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<ChildProcessByStdio<null, Readable, Readable>> {
  const [first = command, ...rest] = [...await parentDeathWrapper(process.env) ?? [], command, ...args]
  return spawn(first, rest, { stdio: ['ignore', 'pipe', 'pipe'], env })
}
