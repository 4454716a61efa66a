import t from 'tap'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { watchThreads } from './watch-threads.js'

const status = (voluntary: number, involuntary: number): string => `Name:\tx\nvoluntary_ctxt_switches:\t${voluntary}\nnonvoluntary_ctxt_switches:\t${involuntary}\n`

t.test('sums over the threads', async t => {
  const folder = t.testdir({ 7: { status: status(10, 1), schedstat: '1000 20 3\n' }, 8: { status: status(5, 2), schedstat: '500 7 1\n' } })
  t.same(watchThreads(folder).read(2), { voluntarySwitches: 15, involuntarySwitches: 3, onCpuNs: 1500, runQueueWaitNs: 27 })
})

t.test('the status of a thread that did not run is not read again', async t => {
  const folder = t.testdir({ 7: { status: status(10, 1), schedstat: '1000 20 3\n' } })
  const threads = watchThreads(folder)
  threads.read(1)
  writeFileSync(join(folder, '7/status'), status(11, 1))
  t.match(threads.read(1), { voluntarySwitches: 10 })
  writeFileSync(join(folder, '7/schedstat'), '1001 20 3\n')
  t.match(threads.read(1), { voluntarySwitches: 11, onCpuNs: 1001 })
})

t.test('without schedstat, or with one that is off, each status is read and there are no times', async t => {
  const folder = t.testdir({ 7: { status: status(10, 1) }, 8: { status: status(1, 0), schedstat: '0 0 0\n' } })
  const threads = watchThreads(folder)
  t.same(threads.read(2), { voluntarySwitches: 11, involuntarySwitches: 1 })
  writeFileSync(join(folder, '7/status'), status(11, 1))
  writeFileSync(join(folder, '8/status'), status(3, 0))
  t.same(threads.read(2), { voluntarySwitches: 14, involuntarySwitches: 1 })
})

t.test('new threads are found by their number', async t => {
  const folder = t.testdir({ 7: { status: status(10, 1), schedstat: '1000 20 3\n' } })
  const threads = watchThreads(folder)
  threads.read(1)
  mkdirSync(join(folder, '9'))
  writeFileSync(join(folder, '9/status'), status(100, 0))
  t.match(threads.read(1), { voluntarySwitches: 10 }, 'the folder is not listed while their number is the same')
  t.match(threads.read(2), { voluntarySwitches: 110 })
})

t.test('a thread that ends leaves what it had', { skip: process.platform !== 'linux' && 'Linux only' }, async t => {
  const threads = watchThreads('/proc/self/task')
  const worker = new Worker('let x = 0; for (const end = Date.now() + 50; Date.now() < end;) x++; require("node:worker_threads").parentPort.on("message", () => {})', { eval: true })
  await once(worker, 'online')
  await new Promise(resolve => setTimeout(resolve, 100))
  const before = threads.read(-1)
  await worker.terminate()
  const after = threads.read(-1)
  t.ok((before.onCpuNs ?? 0) > 50e6)
  t.ok((after.onCpuNs ?? 0) >= (before.onCpuNs ?? Infinity))
  t.ok(after.voluntarySwitches >= before.voluntarySwitches)
})
