import t, { type Test } from 'tap'
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import type { OsSample } from '../types.js'
import { nowMs } from '../clock.js'
import { createSampler } from './sampler.js'
import { startSampler } from './start-sampler.js'

const linux = { skip: process.platform !== 'linux' && 'Linux only' }

/** A process to watch, and a port where nobody listens. */
function stage (t: Test): { child: ChildProcess, pid: number, outPath: string, serverUrl: string, lines: () => OsSample[] } {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { env: {} })
  t.teardown(() => child.kill('SIGKILL'))
  const outPath = join(t.testdir(), 'samples.ndjson')
  const lines = (): OsSample[] => readFileSync(outPath, 'utf8').split('\n').slice(0, -1).map(line => JSON.parse(line) as OsSample)
  return { child, pid: child.pid ?? 0, outPath, serverUrl: 'http://127.0.0.1:9', lines }
}

async function until (condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 20))
}

t.test('samples run on a grid, with counters that do not fall, until it is stopped', linux, async t => {
  const { pid, outPath, serverUrl, lines } = stage(t)
  const fromMs = nowMs()
  const sampler = await startSampler({ pid, serverUrl, outPath, cpus: [0] })
  t.ok(existsSync(outPath))
  const counters = [(sample: OsSample) => sample.samplerCpuUsec, (sample: OsSample) => sample.host?.contextSwitches, (sample: OsSample) => sample.process?.cpuUsec]
  // What costs more on this machine is read less often: each of them twice, whenever that is.
  await until(() => lines().length >= 6 && counters.every(read => lines().filter(sample => read(sample) !== undefined).length >= 2))
  await sampler.stop()
  await sampler.stop()
  const samples = lines()
  t.ok(readFileSync(outPath, 'utf8').endsWith('\n'), 'whole lines')
  t.ok(samples.every(({ atMs }, index) => atMs > fromMs && (index === 0 || atMs > (samples[index - 1]?.atMs ?? Infinity))))
  for (const read of counters) {
    const values = samples.flatMap(sample => read(sample) ?? [])
    t.ok(values.length >= 2 && values.every((value, index) => index === 0 || value >= (values[index - 1] ?? Infinity)))
  }
  t.match(samples[0], { process: { pssBytes: Number, voluntarySwitches: Number, involuntarySwitches: Number }, host: {}, vm: {} })
  t.ok(samples.every(sample => !('requestsProcessing' in sample)), 'nobody answered /metrics')
})

t.test('the last sample reads everything, due or not', linux, async t => {
  const { pid, serverUrl } = stage(t)
  const sampler = createSampler({ pid, serverUrl, apiKey: undefined })
  t.teardown(() => sampler.close())
  sampler.sample()
  t.match(sampler.sample({ last: true }), { process: { voluntarySwitches: Number, pssBytes: Number }, host: {}, psi: {}, disk: {}, vm: {} })
})

t.test('a process that dies is absent from then on; the machine is sampled still', linux, async t => {
  const { child, pid, outPath, serverUrl, lines } = stage(t)
  const sampler = await startSampler({ pid, serverUrl, outPath })
  child.kill('SIGKILL')
  await once(child, 'exit')
  const goneMs = nowMs()
  const after = (): OsSample[] => lines().filter(({ atMs }) => atMs > goneMs)
  await until(() => after().length >= 7 && after().some(sample => sample.host))
  await sampler.stop()
  t.notOk(after().some(sample => 'process' in sample))
})

t.test('trouble comes back in words', linux, async t => {
  const { pid, serverUrl, outPath } = stage(t)
  await t.rejects(startSampler({ pid, serverUrl, outPath: '/nowhere/x' }), /sampler of process \d+ \(to \/nowhere\/x\) ended with exit code 1: ENOENT/)
  const sampler = await startSampler({ pid, serverUrl, outPath })
  process.kill(sampler.pid, 'SIGKILL')
  await t.rejects(sampler.stop(), /sampler of process \d+ .+ ended with SIGKILL/)
})
