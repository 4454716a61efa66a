import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FakeClock } from '../policies/testing.js'
import { FileMemory } from './memory.js'

function remembering (file: string | undefined, clock = new FakeClock()): { memory: FileMemory, clock: FakeClock, warnings: string[] } {
  const warnings: string[] = []
  return { memory: new FileMemory(file, clock, { info: () => {}, warn: (_facts, message) => { warnings.push(message) } }), clock, warnings }
}

t.test('what is kept comes back in the next life', async t => {
  const file = join(t.testdir(), 'deeper', 'state.json')
  const first = remembering(file)
  let learned = 1
  first.memory.keep('admission', () => ({ learned }))
  learned = 2
  first.memory.close()
  t.same(remembering(file).memory.recall('admission'), { learned: 2 })
  t.equal(remembering(file).memory.recall('other'), undefined)
  t.same(readdirSync(join(file, '..')), ['state.json'], 'nothing half-written is left')
})

t.test('what was kept stays while nothing new is known, and for who is not asked in this life', async t => {
  const file = join(t.testdir({ 'state.json': '{"admission":{"learned":2},"other":3}' }), 'state.json')
  const { memory } = remembering(file)
  memory.keep('admission', () => undefined)
  memory.close()
  t.same(JSON.parse(readFileSync(file, 'utf8')), { admission: { learned: 2 }, other: 3 })
})

t.test('it is written now and then, so that a crash loses little', async t => {
  const file = join(t.testdir(), 'state.json')
  const { memory, clock } = remembering(file)
  let learned = 0
  memory.keep('admission', () => ++learned)
  await clock.advance(59_000)
  t.throws(() => readFileSync(file))
  await clock.advance(1_000)
  t.equal(readFileSync(file, 'utf8'), '{"admission":1}')
  await clock.advance(60_000)
  t.equal(readFileSync(file, 'utf8'), '{"admission":2}')
  memory.close()
  t.equal(clock.timers, 0)
})

t.test('a file that is no memory is an empty one, and said so', async t => {
  const file = join(t.testdir({ 'state.json': '{"admission":' }), 'state.json')
  const { memory, warnings } = remembering(file)
  t.equal(memory.recall('admission'), undefined)
  t.match(warnings, [/state\.file cannot be read/])
  memory.keep('admission', () => 5)
  memory.close()
  t.equal(readFileSync(file, 'utf8'), '{"admission":5}')
})

t.test('a place that cannot be written costs a warning, not the gateway', async t => {
  const folder = t.testdir()
  writeFileSync(join(folder, 'file'), '')
  mkdirSync(join(folder, 'state.json.new'))
  for (const file of [join(folder, 'file', 'state.json'), join(folder, 'state.json')]) {
    const { memory, warnings } = remembering(file)
    memory.keep('admission', () => 1)
    memory.close()
    t.match(warnings.at(-1), /state\.file cannot be written/)
  }
})

t.test('without a file nothing is written and no timer runs', async t => {
  const { memory, clock } = remembering(undefined)
  memory.keep('admission', () => { throw new Error('asked') })
  t.equal(clock.timers, 0)
  memory.close()
})
