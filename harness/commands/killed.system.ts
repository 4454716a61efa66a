import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Test } from 'tap'
import { spawnGuarded } from '../../models/testing-programs.js'
import { allowedCpus } from '../run/placement.js'
import { commandLine, descendants, groupHost as host, groups, machine, runs } from './testing-machine.js'

const program = fileURLToPath(new URL('../cli.js', import.meta.url))
const noGroups = !host.ok && `${host.why}. To mend: ${host.mend}`

/** A block with a group, a hog in a group of its own and a pinned server, slowed down so that it is still under load when it is killed. */
const sweep = {
  name: 'killed',
  kind: 'sweep',
  question: 'What is left behind?',
  model: 'tiny',
  threads: 1,
  setting: [`pinning=${allowedCpus().at(-1) ?? 0}`],
  cells: [{ id: 'plain' }, { id: 'slow', knobs: ['cpu-quota=5/100', 'cpu-hog=1:weight=50', 'page-cache-hog=16M'] }],
  baseline: 'plain',
  workload: { kind: 'streams', calls: 1, predictTokens: 1000, warmupCalls: 0 }
}

interface UnderLoad {
  readonly kill: (signal: NodeJS.Signals) => void
  /** Everything that the harness has started and that runs now. */
  readonly children: readonly number[]
  /** Pid of the one whose command line looks so. */
  readonly pidOf: (looks: RegExp) => number
  readonly ended: Promise<{ readonly code: number | null, readonly signal: NodeJS.Signals | null, readonly err: string }>
}

/** The harness at the load of the slow block. */
async function underLoad (t: Test): Promise<UnderLoad> {
  const folder = t.testdir()
  writeFileSync(`${folder}/sweep.json`, JSON.stringify(sweep))
  const child = await spawnGuarded(process.execPath, [program, 'run', `${folder}/sweep.json`, '--preset', 'smoke', '--seed', '1', '--host', 'local', '--out', `${folder}/run`])
  child.stdout.resume()
  t.teardown(() => child.kill('SIGKILL'))
  let err = ''
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, signal: child.signalCode, err }))
  await new Promise<void>((resolve, reject) => {
    createInterface(child.stderr).on('line', line => {
      err += `${line}\n`
      if (/block \d of 2, slow: 1 streams/.test(line)) resolve()
    })
    ended.then(() => reject(new Error(`it ended before its load: ${err}`)))
  })
  const pid = child.pid ?? NaN
  const words = ['llama-server', 'ulimit -t', 'load/process.js', 'sampler-process.js']
  // The load is announced a moment before it is started.
  while (!words.every(word => descendants(pid).some(each => commandLine(each).includes(word)))) await sleep(20)
  const children = descendants(pid)
  const pidOf = (looks: RegExp): number => children.find(each => looks.test(commandLine(each))) ?? NaN
  return { kill: signal => child.kill(signal), children, pidOf, ended }
}

const opts = { skip: noGroups, timeout: 120_000 }

for (const [how, presses] of [['Ctrl-C', 1], ['Ctrl-C twice', 2]] as const) {
  t.test(`${how} under load`, opts, async t => {
    const putBack = machine(t)
    const { kill, children, ended } = await underLoad(t)
    for (let i = 0; i < presses; i++) {
      kill('SIGINT')
      await sleep(presses === 1 ? 0 : 600)
    }
    const { code, signal } = await ended
    // The second press may find the machine put back and the report in the making.
    t.ok(code === 130 || (presses === 2 && signal === 'SIGINT'), `${code} ${signal}`)
    await putBack(children)
  })
}

/** The yardstick's does not map its model. */
const [mapped, unmapped] = [/^(?!.* --(no-mmap|load-mode) ).*llama-server.* -m /, /llama-server.* --(no-mmap|load-mode) /]

for (const [what, looks, code, says] of [
  ['llama-server', mapped, 0, /llama-server ended|Report/],
  ['the yardstick', unmapped, 1, /yardstick: its llama-server gave no reading.*see .*yardstick-t1\.log/],
  ['a hog', /ulimit -t/, 1, /ended too early, with SIGKILL/],
  ['the sampler', /sampler-process\.js/, 1, /sampler of process \d+ .* ended with SIGKILL/],
  ['the load generator', /load\/process\.js/, 1, /load generator .* ended without a summary \(SIGKILL\)/]
] as const) {
  t.test(`SIGKILL of ${what} under load`, opts, async t => {
    const putBack = machine(t)
    const { children, pidOf, ended } = await underLoad(t)
    process.kill(pidOf(looks), 'SIGKILL')
    const end = await ended
    t.equal(end.code, code, end.err)
    if (code !== 0) t.match(end.err, says)
    await putBack(children)
  })
}

t.test('SIGKILL of the harness under load: nothing runs on, and the next start clears up the groups', opts, async t => {
  const putBack = machine(t)
  const { kill, children, ended } = await underLoad(t)
  kill('SIGKILL')
  await ended
  while (children.some(runs)) await sleep(20)
  t.ok(groups().length >= 2, 'there was no time to remove the groups')
  execFileSync(process.execPath, ['--input-type=module', '-e', `await (await import(${JSON.stringify(new URL('../cgroups/index.js', import.meta.url).href)})).findGroupHost()`])
  await putBack(children)
})
