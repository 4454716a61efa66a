import t from 'tap'
import { analyse } from '../analyse.js'
import { simulateMemory, type MemorySimulation } from '../testing-memory.js'
import type { Block, Claim, Evidence } from '../../types.js'
import { all, legs } from './testing.js'

function claims (evidence: Evidence): { readonly cliff: Claim, readonly kill: Claim } {
  const [cliff, kill] = analyse(evidence, { cells: false }).claims
  if (cliff === undefined || kill === undefined) throw new Error('no claims')
  return { cliff, kill }
}

const simulated = (options: Partial<MemorySimulation> = {}) => claims(simulateMemory('memory-limit', options))

/** The same run with the blocks of some conditions changed. */
const changed = (wanted: (condition: string) => boolean, change: (block: Block) => Block) => simulated({ change: (block, { id }) => wanted(id) ? change(block) : block })

const slowed = (block: Block, times: number): Block => ({
  ...block,
  calls: block.calls.map(call => ({ ...call, itlMs: call.itlMs.map(ms => ms * times), firstMs: call.intendedMs + 50 })),
  evidence: { ...block.evidence, judgedToMs: block.evidence.judgedFromMs + (block.evidence.judgedToMs - block.evidence.judgedFromMs) * times }
})

const withCounters = (block: Block, atEnd: Record<string, number | undefined>): Block => ({
  ...block,
  evidence: { ...block.evidence, groupCountersAtEnd: JSON.parse(JSON.stringify({ ...block.evidence.groupCountersAtEnd, ...atEnd })) as Record<string, number> }
})

t.test('all legs of both claims hold; the cliff that was searched is the one that was predicted', async t => {
  const { cliff, kill } = simulated()
  t.same(legs(cliff), all, JSON.stringify(cliff, null, 1))
  t.same(legs(kill), all, JSON.stringify(kill, null, 1))
  t.equal(cliff.status, 'SUPPORTED')
  t.equal(kill.status, 'SUPPORTED')
  t.match(cliff.doseMarks, [{ factor: 'limitMiB', at: 66 }])
  t.ok(Math.abs((cliff.mechanism.value ?? 0) - 66) < 1, cliff.mechanism.statement)
})

t.test('sabotage: the limits are set and have no effect', async t => {
  const { cliff, kill } = simulated({ limits: false })
  t.match(legs(cliff), { application: 'fails', os: 'missing', mechanism: /fails|missing/ })
  t.equal(cliff.status, 'UNSUPPORTED')
  t.match(legs(kill), { application: 'fails', mechanism: 'fails' })
  t.equal(kill.status, 'UNSUPPORTED')
})

t.test('sabotage: no limit was set at all: the search has no steps', async t => {
  const { cliff } = changed(() => true, block => withCounters(block, { 'memory.max': undefined }))
  t.equal(cliff.mechanism.status, 'missing')
  t.equal(cliff.status, 'UNSUPPORTED')
})

t.test('a step of the search whose limit does not follow from those before it', async t => {
  const { cliff } = changed(id => id === 'probe-3', block => withCounters(block, { 'memory.max': 50 * 1024 ** 2 }))
  t.match(cliff.mechanism, { status: 'missing', statement: /probe-3/ })
})

t.test('the cliff lies elsewhere than predicted: fails', async t => {
  const { cliff } = simulated({ calibration: server => server.model === 'small' ? { ...server, groupCounters: { ...server.groupCounters, 'memory.stat.anon': 27 * 1024 ** 2 } } : server })
  t.equal(cliff.mechanism.status, 'fails')
})

t.test('without what the calibration saw nothing is predicted', async t => {
  t.throws(() => simulated({ calibration: ({ touched, ...server }) => server }), /clear_refs/)
  const { cliff, kill } = simulated({ calibration: ({ groupCounters, ...server }) => server })
  t.same([cliff.status, kill.status], ['UNSUPPORTED', 'UNSUPPORTED'])
})

t.test('each leg of the cliff taken away alone', async t => {
  const below = (id: string): boolean => id === 'below'
  const noSlower = changed(below, block => slowed(block, 0.25))
  t.equal(noSlower.cliff.application.status, 'fails')
  const noIo = changed(below, block => ({ ...block, evidence: { ...block.evidence, osAtEnd: {} } }))
  t.same(legs(noIo.cliff), { ...all, os: 'missing' })
  const otherReads = changed(below, block => {
    const process = block.evidence.osAtEnd?.process
    return process === undefined ? block : { ...block, evidence: { ...block.evidence, osAtEnd: { process: { ...process, readBytes: (process.readBytes ?? 0) / 2 } } } }
  })
  t.same(legs(otherReads.cliff), { ...all, os: 'fails' })
  const withIostat = (readBytes: number) => changed(below, block => {
    const [fromMs, toMs] = [block.evidence.judgedFromMs, block.evidence.judgedToMs]
    const refaulted = (block.samples.at(-1)?.cgroup?.['memory.stat.workingset_refault_file'] ?? 0) * 4096
    return { ...block, tools: { iostat: { fromMs: fromMs + 0.25 * (toMs - fromMs), toMs: fromMs + 0.75 * (toMs - fromMs), reads: 1, readBytes: readBytes * refaulted / 2, writtenBytes: 0 } } }
  })
  t.match(withIostat(1).cliff.os, { status: 'holds', source: /iostat/ })
  t.match(withIostat(0.8).cliff.os, { status: 'fails', value: 0.8 })
  const throttled = changed(below, block => withCounters(block, { 'cpu.stat.nr_throttled': 9 }))
  t.same(legs(throttled.cliff), { ...all, control: 'fails' })
  const swapped = changed(below, block => withCounters(block, { 'memory.stat.workingset_refault_anon': 9 }))
  t.same(legs(swapped.cliff), { ...all, control: 'fails' })
  const inSwap = changed(below, block => withCounters(block, { 'memory.swap.current': 8192 }))
  t.same(legs(inSwap.cliff), { ...all, control: 'fails' })
  const tinySuffers = changed(id => id === 'tiny', block => withCounters(block, { 'memory.stat.workingset_refault_file': 9999 }))
  t.same(legs(tinySuffers.cliff), { ...all, control: 'fails' })
  const noPressure = changed(below, block => withCounters(block, { 'memory.pressure.full_usec': 0 }))
  t.same(legs(noPressure.cliff), { ...all, mechanism: 'fails' })
  const faults = changed(below, block => withCounters(block, { 'memory.stat.pgmajfault': 60_000 }))
  t.same(legs(faults.cliff), { ...all, mechanism: 'fails' })
})

t.test('each block is compared with that of its own repeat: a machine that is slow for one block moves a ratio by no more than its part', async t => {
  const slowAt = (condition: string, repeat: number): Claim => changed(id => id === condition, block => block.evidence.plan.pair === repeat ? slowed(block, 1.35) : block).cliff
  for (const condition of ['above', 'none', 'tiny', 'tiny-none']) {
    t.same([1, 2].map(repeat => legs(slowAt(condition, repeat))), [all, all], condition)
  }
  const both = changed(id => id === 'above', block => slowed(block, 1.35)).cliff
  t.equal(both.application.status, 'fails')
})

t.test('each leg of the kill taken away alone', async t => {
  const dropped = (id: string): boolean => id === 'no-mmap-drop'
  const ended = (change: (end: NonNullable<Block['evidence']['serverEnd']>) => object) => changed(dropped, block => block.evidence.serverEnd === undefined ? block : { ...block, evidence: { ...block.evidence, serverEnd: { ...block.evidence.serverEnd, ...change(block.evidence.serverEnd) } } })
  t.same(legs(ended(() => ({ signal: 'SIGSEGV' })).kill), { ...all, control: 'fails' }, 'a crash is no kill, whatever is counted')
  t.match(legs(ended(({ kernelLog = '' }) => ({ kernelLog: kernelLog.replace('llama-server', 'head') })).kill), { os: 'fails', control: 'fails' }, 'another process of the group was killed')
  t.same(legs(ended(() => ({ kernelLog: undefined })).kill), { ...all, os: 'missing' })
  t.match(legs(changed(dropped, block => withCounters(block, { 'memory.events.oom_kill': 0 })).kill), { control: 'fails', mechanism: 'fails' })
  t.same(legs(changed(id => id === 'no-mmap-above', block => withCounters(block, { 'memory.stat.anon': 17 * 1024 ** 2 })).kill), { ...all, mechanism: 'fails' })
  t.same(legs(changed(id => id === 'below', block => withCounters(block, { 'memory.events.oom_kill': 1 })).kill), { ...all, control: 'fails' })
  const survived = changed(dropped, block => ({ ...block, calls: block.calls.map(call => ({ ...call, outcome: 'answered' as const })) }))
  t.equal(survived.kill.application.status, 'fails')
})
