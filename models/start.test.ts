import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile, readdir, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { onPath } from './command.js'
import { freePort } from './free-port.js'
import { startServer } from './start.js'
import { fakeServer, program, temporaryFolder } from './testing-programs.js'
import type { ServerOptions } from './types.js'
import { parentDeathWrapper } from './wrappers.js'

async function optionsFor (t: Test, behaviour?: string): Promise<ServerOptions> {
  const folder = await temporaryFolder(t)
  const path = join(folder, 'model.gguf')
  await writeFile(path, '')
  return {
    binary: { command: await fakeServer(join(folder, 'llama-server'), behaviour), argsBefore: [], env: {}, from: 'test', version: '1' },
    model: { name: 'm', path, bytes: 0, sha256: '', parameters: 1, quantisation: 'Q8_0', synthetic: true },
    slots: 2,
    slotContextTokens: 256,
    threads: 1,
    batchTokens: 64,
    logPath: join(folder, 'logs', 'server.log'),
    startTimeoutMs: 60_000
  }
}

function isRunning (pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Pids whose command line has this argument (Linux; elsewhere none are seen). */
async function runningWith (argument: string): Promise<string[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter(name => /^\d+$/.test(name))
  const commandLines = await Promise.all(pids.map(pid => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return pids.filter((_, i) => commandLines[i]?.split('\0').includes(argument))
}

t.test('starts on loopback with a key, and stops', async t => {
  const options = await optionsFor(t, 'console.log("hello log")')
  const server = await startServer(options, { env: { ...process.env, LLAMA_ARG_THREADS: '9' } })
  t.teardown(() => server.stop())
  t.match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/)
  t.equal((await fetch(`${server.url}/props`)).status, 401)
  const answer = await fetch(`${server.url}/props`, { headers: { authorization: `Bearer ${server.apiKey}` } })
  t.match(await answer.json(), { args: ['-m', options.model.path, '--host', '127.0.0.1'], cpus: null })
  t.ok(server.apiKey.length >= 32)
  t.notMatch(server.commandLine.join(' '), server.apiKey)
  t.match(await readFile(server.logPath, 'utf8'), /hello log/)
  t.ok(isRunning(server.pid))
  const second = await startServer({ ...options, logPath: `${options.logPath}2` })
  t.teardown(() => second.stop())
  t.not(second.url, server.url)
  t.not(second.apiKey, server.apiKey)
  await Promise.all([server.stop(), server.stop()])
  t.strictSame(await server.exited, { code: null, signal: 'SIGTERM' })
  t.notOk(isRunning(server.pid))
  await server.stop()
})

t.test('SIGKILL for one that does not heed SIGTERM', async t => {
  const server = await startServer(await optionsFor(t, 'process.on("SIGTERM", () => {})'), { stopGraceMs: 50 })
  await server.stop()
  t.strictSame(await server.exited, { code: null, signal: 'SIGKILL' })
})

t.test('exited tells of a death of its own', async t => {
  const server = await startServer(await optionsFor(t, 'setInterval(() => require("node:fs").existsSync(__filename + ".die") && process.exit(7), 10)'))
  t.teardown(() => server.stop())
  await writeFile(`${server.commandLine.find(arg => arg.endsWith('/llama-server')) ?? ''}.die`, '')
  t.strictSame(await server.exited, { code: 7, signal: null })
})

t.test('one that dies: the error has the last 15 lines of its log', async t => {
  const options = await optionsFor(t, 'for (let i = 1; i <= 20; i++) console.error("line " + i); process.exitCode = 3; return')
  const error: Error = await startServer(options).then(() => t.fail('started'), thrown => thrown)
  t.match(error.message, /ended with code 3 before it was ready/)
  t.match(error.message, options.logPath)
  t.strictSame(error.message.split('\n').filter(line => line.startsWith('  | ')), Array.from({ length: 15 }, (_, i) => `  | line ${i + 6}`))
})

t.test('one that is never ready is killed', async t => {
  const options = await optionsFor(t, 'status = () => 503; process.on("SIGTERM", () => {})')
  await t.rejects(startServer({ ...options, startTimeoutMs: 500 }, { stopGraceMs: 10 }), /it was not ready within 0.5 s/)
  t.strictSame(await runningWith(options.binary.command), [])
})

t.test('a start that is no longer wanted: its reason, and nothing is left running', async t => {
  const options = await optionsFor(t, 'status = () => 503; require("node:fs").writeFileSync(__filename + ".started", "")')
  const stop = new AbortController()
  const start = startServer(options, { signal: stop.signal })
  while (!existsSync(`${options.binary.command}.started`)) await new Promise(resolve => setTimeout(resolve, 10))
  stop.abort(new Error('no longer wanted'))
  await t.rejects(start, /^no longer wanted$/)
  t.strictSame(await runningWith(options.binary.command), [])
  await t.rejects(startServer(options, { signal: stop.signal }), /^no longer wanted$/)
})

t.test('one that does not insist on the key is no success', async t => {
  await t.rejects(startServer(await optionsFor(t, 'status = () => 200')), /200 with our API key and 200 without, expected 200 and 401/)
  await t.rejects(startServer(await optionsFor(t, 'status = request => request.url === "/health" ? 200 : 401')), /401 with our API key/)
})

t.test('a port that was taken meanwhile is no trouble', async t => {
  const holder = createServer().listen(0, '127.0.0.1')
  t.teardown(() => holder.close())
  await once(holder, 'listening')
  const taken = (holder.address() as AddressInfo).port
  const options = await optionsFor(t)
  let asked = 0
  const server = await startServer(options, { choosePort: async () => ++asked === 1 ? taken : await freePort() })
  await server.stop()
  t.equal(asked, 2)
  asked = 0
  await program(options.binary.command, '#!/bin/sh', 'echo "couldn\'t bind HTTP server socket"; exit 1')
  await t.rejects(startServer(options, { choosePort: async () => { asked++; return taken } }), /couldn't bind/)
  t.equal(asked, 3, 'but there is an end to trying')
})

t.test('a program or model that is not there', async t => {
  const options = await optionsFor(t)
  await t.rejects(startServer({ ...options, model: { ...options.model, path: '/no/model.gguf' } }), /model file \/no\/model.gguf does not exist/)
  await t.rejects(startServer({ ...options, binary: { ...options.binary, command: '/no/server' } }, { env: { PATH: '' } }), /\/no\/server cannot be run: .*ENOENT/)
})

t.test('CPUs', { skip: process.platform !== 'linux' && 'taskset is Linux only' }, async t => {
  const options = await optionsFor(t)
  const server = await startServer({ ...options, cpus: [0] })
  t.teardown(() => server.stop())
  t.match(await readFile(`/proc/${server.pid}/status`, 'utf8'), /^Cpus_allowed_list:\t0$/m)
  t.match(await readFile(`/proc/${server.pid}/cmdline`, 'utf8'), options.binary.command, 'pid is the server’s own')
  await t.rejects(startServer({ ...options, cpus: [] }), /cpus is \[\], but must be/)
  await t.rejects(startServer({ ...options, cpus: [-1] }), /cpus is \[-1\]/)
  await t.rejects(startServer({ ...options, cpus: [9999] }), /taskset/)
  const node = dirname(process.execPath)
  await t.rejects(startServer({ ...options, cpus: [0] }, { env: { PATH: join(node, 'nowhere') } }), /needs taskset, which is not on PATH/)
})

async function pathToNodeOnly (options: ServerOptions): Promise<string> {
  const folder = dirname(options.binary.command)
  await symlink(process.execPath, join(folder, 'node'))
  return folder
}

async function hostProgram (t: Test, options: ServerOptions, then: string, path = process.env['PATH']): Promise<{ host: ReturnType<typeof spawn>, serverPid: number }> {
  const script = join(dirname(options.model.path), 'host.mjs')
  await writeFile(script, `
import { startServer } from ${JSON.stringify(new URL('start.js', import.meta.url).href)}
const server = await startServer(${JSON.stringify(options)}, { env: { PATH: ${JSON.stringify(path)} } })
process.stdout.write(server.pid + '\\n')
await new Promise(resolve => process.stdin.once('data', resolve))
${then}`)
  const host = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'ignore'] })
  t.teardown(() => host.kill('SIGKILL'))
  const [line] = await once(host.stdout, 'data')
  const serverPid = Number(String(line).trim())
  t.teardown(() => isRunning(serverPid) && process.kill(serverPid, 'SIGKILL'))
  return { host, serverPid }
}

/** Waits until the process is gone, or dead and not yet collected by init. */
async function gone (pid: number): Promise<boolean> {
  for (;;) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    if (stat === '' || /^\d+ \(.*\) [ZX]/.test(stat)) return true
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

t.test('never outlives its host', { skip: !existsSync('/proc/self/stat') && 'looks at /proc' }, async t => {
  const ends: ReadonlyArray<[how: string, then: string]> = [['exit', 'process.exit(0)'], ['an uncaught exception', 'throw new Error("boom")']]
  for (const [how, then] of ends) {
    await t.test(`${how}, without setpriv`, async t => {
      const options = await optionsFor(t, 'process.on("SIGTERM", () => {})')
      const { host, serverPid } = await hostProgram(t, options, then, await pathToNodeOnly(options))
      host.stdin?.write('go\n')
      t.ok(await gone(serverPid))
    })
  }
  await t.test('SIGKILL', { skip: await onPath('setpriv') === undefined && 'no setpriv' }, async t => {
    const { host, serverPid } = await hostProgram(t, await optionsFor(t), '')
    host.kill('SIGKILL')
    t.ok(await gone(serverPid))
  })
  await t.test('a parent that had ended before the guard was up', { skip: await parentDeathWrapper(process.env) === undefined && 'no setpriv' }, async t => {
    const [command = '', ...guard] = await parentDeathWrapper(process.env) ?? []
    const folder = await temporaryFolder(t)
    const run = async (parent: number): Promise<number | null> => {
      const child = spawn(command, [...guard.slice(0, -1), String(parent), 'touch', `${folder}/ran`])
      await once(child, 'exit')
      return child.exitCode
    }
    t.equal(await run(1), 1)
    t.notOk(existsSync(`${folder}/ran`), 'it does not begin')
    t.equal(await run(process.pid), 0)
    t.ok(existsSync(`${folder}/ran`))
  })
})

t.test('without setpriv it starts all the same', async t => {
  const options = await optionsFor(t)
  const server = await startServer(options, { env: { PATH: await pathToNodeOnly(options) } })
  t.notMatch(server.commandLine.join(' '), 'setpriv')
  await server.stop()
})
