import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Knob } from '../knobs/contract.js'
import type { Condition } from '../types.js'
import type { Prepared } from './prepare.js'
import { fakeKnob, fakeServerOptions } from './testing.js'
import { createUndoStack } from './undo-stack.js'
import { yardstickFor } from './yardstick.js'

const condition: Condition = { id: 'c', title: 'c', policies: [], knobs: [], factors: {} }

/** A fake llama-server; two CPUs, of which a run's own server has one. */
function yardstickOf (t: Test, knobs: Knob[] = [], env: Readonly<Record<string, string>> = {}, modelBytes = 0) {
  const folder = t.testdir()
  const server = { ...fakeServerOptions(join(folder, 'model'), env), cpus: [0] }
  const prepared = { server, models: new Map([['fake', { ...server.model, bytes: modelBytes }]]), placement: { serverCpus: [0], clientCpus: [0], note: '' }, knobsOf: () => knobs, slotsOf: () => 4 } as unknown as Prepared
  const undo = createUndoStack()
  t.teardown(async () => await undo.unwind())
  return { undo, yardstick: yardstickFor({ prepared, conditions: [condition], folder: join(folder, 'calibration'), signal: new AbortController().signal }, undo) }
}

t.test('a reading is of as many threads as there are CPUs for, and one behind a block serves the next', async t => {
  const { yardstick } = yardstickOf(t, [], { FAKE_DECODE_MS_PER_TOKEN: '2' })
  const first = await yardstick?.read({})
  t.equal(first?.threads, 1)
  t.ok(first !== undefined && first.ms >= 1, `${first?.ms} ms for a token`)
  t.equal(await yardstick?.read({ threads: 5 }), first, 'five threads have one CPU, too: the reading of a moment ago')
  await sleep(1100)
  t.not(await yardstick?.read({}), first, 'later it is read anew')
})

t.test('where conditions limit memory, or the model is large, there is none', async t => {
  t.equal(yardstickOf(t, [], {}, 513 * 1024 ** 2).yardstick, undefined)
  t.not(yardstickOf(t, [], {}, 512 * 1024 ** 2).yardstick, undefined)
  t.equal(yardstickOf(t, [fakeKnob('limit', [], { controllers: ['memory'] })]).yardstick, undefined)
  t.not(yardstickOf(t, [fakeKnob('limit', [], { controllers: ['io', 'cpu'] })]).yardstick, undefined)
})

t.test('one whose llama-server is gone says so and names its log', async t => {
  const { yardstick, undo } = yardstickOf(t, [], { FAKE_DECODE_MS_PER_TOKEN: '2' })
  if (yardstick === undefined) return t.fail('there is none')
  await yardstick.read({})
  await undo.unwind()
  await sleep(1100)
  await t.rejects(yardstick.read({}), /yardstick: its llama-server gave no reading: .*yardstick-t1\.log/)
})
