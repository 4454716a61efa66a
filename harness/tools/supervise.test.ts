import t, { type Test } from 'tap'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Stamp, Tool } from './contract.js'
import { startTools } from './supervise.js'

/** A program on a PATH of its own, and a tool that runs it. */
function fakeTool (t: Test, script: string, more: Partial<Tool> = {}): { tool: Tool, folder: string, env: NodeJS.ProcessEnv } {
  const folder = t.testdir({ bin: {} })
  writeFileSync(`${folder}/bin/fake`, `#!/bin/sh\n${script}\n`)
  chmodSync(`${folder}/bin/fake`, 0o755)
  return { tool: { name: 'pidstat', program: 'fake', args: pid => ['-p', String(pid)], ...more }, folder, env: { ...process.env, PATH: `${folder}/bin:${process.env.PATH}` } }
}

const alive = (pid: number): boolean => existsSync(`/proc/${pid}`)
/** What a tool left running, too: its session is a process group, unless it could not be given one. */
function killGroup (pid: number): void {
  try { process.kill(-pid, 'SIGKILL') } catch {}
}

const outputOf = (folder: string): string => existsSync(`${folder}/tools/pidstat.txt`) ? readFileSync(`${folder}/tools/pidstat.txt`, 'utf8') : ''

t.test('output as printed, dated as it came, until it is stopped', async t => {
  const { tool, folder, env } = fakeTool(t, `echo "Linux 6 (${hostname()}) $LC_ALL $*"; while read -r line < "$0.more"; do echo "$line"; rm "$0.more"; done; exec sleep 60`)
  writeFileSync(`${folder}/bin/fake.more`, 'second\n')
  const running = await startTools({ pid: 7, folder, cpus: [], tools: [tool], env })
  while (!outputOf(folder).endsWith('second\n')) await sleep(10)
  const [run] = await running.stop()
  t.match(run, { tool: 'pidstat', commandLine: ['fake', '-p', '7'], cpuUsec: Number, ranMs: Number })
  t.notOk(run?.missing)
  t.equal(outputOf(folder), 'Linux 6 (host) C -p 7\nsecond\n')
  const stamps = readFileSync(`${folder}/tools/stamps.ndjson`, 'utf8').trim().split('\n').map(line => JSON.parse(line) as Stamp)
  t.equal(stamps.at(-1)?.bytes, outputOf(folder).length)
  t.notOk(running.pids.some(alive))
  t.equal((await running.stop()).length, 1, 'again')
})

t.test('one that does not listen is killed', async t => {
  const { tool, folder, env } = fakeTool(t, 'trap "" TERM; echo begun; while :; do sleep 1; done')
  const running = await startTools({ pid: 7, folder, cpus: [], tools: [tool], env })
  while (outputOf(folder) === '') await sleep(10)
  await running.stop()
  t.notOk(running.pids.some(alive))
})

t.test('one whose child keeps its output open does not hold us', async t => {
  const { tool, folder, env } = fakeTool(t, 'sleep 40 & echo begun; exec sleep 60')
  const running = await startTools({ pid: 7, folder, cpus: [], tools: [tool], env })
  t.teardown(() => running.pids.forEach(killGroup))
  while (outputOf(folder) === '') await sleep(10)
  const [run] = await running.stop()
  t.equal(run?.missing, undefined)
  t.equal(outputOf(folder), 'begun\n')
})

t.test('a full disk holds nobody', async t => {
  const { tool, folder, env } = fakeTool(t, 'echo begun; touch "$0.begun"; exec sleep 60')
  mkdirSync(`${folder}/tools`)
  symlinkSync('/dev/full', `${folder}/tools/pidstat.txt`)
  const running = await startTools({ pid: 7, folder, cpus: [], tools: [tool], env })
  while (!existsSync(`${folder}/bin/fake.begun`)) await sleep(10)
  // The pipe is read, and the file is closed at its error.
  await sleep(100)
  await running.stop()
  t.notOk(running.pids.some(alive))
})

t.test('one that is not there, is refused, or ends by itself, is missing and nothing else', async t => {
  const ended = fakeTool(t, 'echo report; echo "no permission to\n count" >&2; exit 3')
  const running = await startTools({ pid: 7, folder: ended.folder, cpus: [], env: ended.env, tools: [ended.tool, { ...ended.tool, name: 'iostat', program: 'no-such-program' }, { ...ended.tool, name: 'perf', refused: () => 'the kernel says no' }] })
  while (running.pids.some(alive)) await sleep(10)
  t.match(await running.stop(), [{ tool: 'pidstat', missing: 'ended by itself (exit code 3): no permission to count' }, { tool: 'iostat', missing: 'not installed' }, { tool: 'perf', missing: 'the kernel says no' }])
  t.equal(outputOf(ended.folder), 'report\n')
  t.same(readdirSync(`${ended.folder}/tools`).sort(), ['pidstat.txt', 'stamps.ndjson'])
})
