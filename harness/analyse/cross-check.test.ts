import t from 'tap'
import type { Block, BlockTools, CrossCheck, OsSample } from '../types.js'
import { crossCheck } from './cross-check.js'
import { simulateStreams } from './testing-streams.js'

const window = { fromMs: 2050, toMs: 12_050 }

/** Ten samples a second; all counters grow evenly, by these amounts a second. */
const samples: readonly OsSample[] = Array.from({ length: 150 }, (_, i) => ({
  atMs: 100 * i,
  process: { rssBytes: 1, minorFaults: 10 * i, majorFaults: 0, voluntarySwitches: 20 * i, involuntarySwitches: 5 * i, cpuUsec: 100_000 * i, onCpuNs: 1e8 * i, readBytes: 4096 * i, threads: 2 },
  host: { stealUsec: 0, idleUsec: 0, busyUsec: 0, contextSwitches: 100 * i },
  disk: { readBytes: 8192 * i, writtenBytes: 0, ioMs: 0, reads: 10 * i, readMs: 25 * i },
  cgroup: { 'cpu.stat.usage_usec': 100_000 * i },
  samplerCpuUsec: 0
}))

const tools: BlockTools = {
  pidstat: { ...window, cpuUsec: 10e6, voluntarySwitches: 2000, involuntarySwitches: 500, minorFaults: 1000, majorFaults: 0, readBytes: 409_600 },
  iostat: { ...window, reads: 1000, readBytes: 819_200, writtenBytes: 0, readAwaitMs: 2.5 },
  vmstat: { ...window, contextSwitches: 10_000, swapInBytes: 0, swapOutBytes: 0, runnable: 1, stealShare: 0 },
  perf: { ...window, contextSwitches: 2500, cpuMigrations: 3, minorFaults: 1000, majorFaults: 0, cpuUsec: 10e6 }
}

function blockOf (changes: Partial<Block>): Block {
  const [block] = simulateStreams({ repeats: 1 }).blocks
  if (block === undefined) throw new Error('no block')
  return { ...block, samples, tools, ...changes }
}

const alone = { aloneInGroup: true }
const find = (checks: readonly CrossCheck[], quantity: string): CrossCheck | undefined => checks.find(check => check.quantity === quantity)

t.test('two tools that counted the same agree in everything', async t => {
  const checks = crossCheck(blockOf({}), alone)
  t.equal(checks.length, 13)
  t.same(checks.filter(({ agrees }) => !agrees), [])
  t.match(find(checks, 'voluntary switches'), { tool: 'pidstat cswch/s', source: '/proc/PID/task', unit: 'switches', theirs: 2000, ours: 2000 })
  t.ok(checks.every(({ theirs, ours }) => Math.abs(theirs - ours) < 1e-6 * Math.max(1, ours)))
})

t.test('3 % apart is too much, 1 % is not', async t => {
  for (const [factor, agrees] of [[1.03, false], [0.97, false], [1.01, true]] as const) {
    const pidstat = { ...window, cpuUsec: 10e6 * factor, voluntarySwitches: 2000 * factor, involuntarySwitches: 500, minorFaults: 1000 * factor, majorFaults: 0 }
    const checks = crossCheck(blockOf({ tools: { pidstat } }), alone)
    for (const quantity of ['CPU time of llama-server', 'voluntary switches', 'minor faults']) t.equal(find(checks, quantity)?.agrees, agrees, `${quantity} × ${factor}`)
  }
  t.equal(find(crossCheck(blockOf({ tools: { iostat: { ...window, reads: 1000, readBytes: 1e6, writtenBytes: 0, readAwaitMs: 2.7 } } }), alone), 'mean time of a read')?.agrees, false)
})

t.test('small counts have a floor, and what grew around an end may be on either side of it', async t => {
  const pidstat = { ...window, cpuUsec: 10e6, voluntarySwitches: 2000, involuntarySwitches: 500, minorFaults: 1000, majorFaults: 19 }
  t.equal(find(crossCheck(blockOf({ tools: { pidstat } }), alone), 'major faults')?.agrees, true)
  const burst = samples.map(sample => ({ ...sample, ...(sample.process && { process: { ...sample.process, minorFaults: sample.atMs <= 2000 ? 0 : 50_000 } }) }))
  const check = find(crossCheck(blockOf({ samples: burst, tools: { pidstat: { ...pidstat, minorFaults: 40_000 } } }), alone), 'minor faults')
  t.equal(check?.agrees, true)
  t.equal(check?.tolerance, 25_000, 'half of a burst between two samples')
})

t.test('what one of the two did not see is not compared', async t => {
  t.same(crossCheck({ ...blockOf({}), tools: {} }, alone), [])
  const { tools: _, ...without } = blockOf({})
  t.same(crossCheck(without, alone), [])
  t.same(crossCheck(blockOf({ samples: samples.filter(({ atMs }) => atMs > 3000) }), alone), [], 'samples begin in the middle of the window')
  t.same(crossCheck(blockOf({ samples: [] }), alone), [])
  t.equal(crossCheck(blockOf({}), { aloneInGroup: false }).length, 12, 'the group’s CPU time is not the server’s alone')
})
