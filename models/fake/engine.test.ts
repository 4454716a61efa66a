import t from 'tap'
import { Engine, type EngineOptions } from './engine.js'
import type { Task } from './slot.js'

const usual: EngineOptions = {
  slots: 2,
  slotContextTokens: 100,
  prefillMsPerToken: 2,
  decodeMsPerToken: 5,
  batchTokens: 8,
  kvPoolTokens: Infinity,
  promptCache: false
}

/** An engine whose tasks write what happens to them into `log`. */
function bench (options: Partial<EngineOptions> = {}) {
  const engine = new Engine({ ...usual, ...options })
  const log: string[] = []
  const submit = (id: number, promptTokens: number, maxTokens: number, more: Partial<Task> = {}) => engine.submit({
    id,
    promptIds: Array.from({ length: promptTokens }, (_, index) => id * 1000 + index),
    maxTokens,
    choices: 1,
    pinnedSlot: undefined,
    reusePrompt: true,
    listener: {
      started: slotIds => log.push(`${id} starts in ${slotIds.join('+')}`),
      token: (choice, measured) => log.push(`${id}${'abc'[choice]}${measured.predictedTokens}`),
      ended: choice => log.push(`${id}${'abc'[choice]} ends`),
      failed: error => log.push(`${id} fails ${error.status} ${error.type}`)
    },
    ...more
  })
  const step = () => {
    log.length = 0
    const durationMs = engine.begin()
    engine.end()
    return durationMs
  }
  return { engine, log, submit, step }
}

t.test('more calls than slots wait first in, first out, and no slot is taken twice', async t => {
  const { engine, log, submit } = bench()
  for (let id = 1; id <= 7; id++) submit(id, 3, 1 + id % 3)
  t.equal(engine.deferred, 5)
  while (engine.begin() !== undefined) {
    t.ok(engine.busySlots <= 2)
    engine.end()
  }
  t.strictSame(log.filter(line => line.includes('starts')).map(line => Number(line[0])), [1, 2, 3, 4, 5, 6, 7])
  t.equal(engine.counts.completed, 7)
  t.equal(engine.counts.peakBusySlots, 2)
  t.equal(engine.deferred, 0)
})

t.test('one step: a token for each decoding slot, then prompts in slot order until the batch is full', async t => {
  const { log, submit, step } = bench({ slots: 3 })
  submit(1, 2, 9)
  t.equal(step(), 4, 'two prompt tokens, nobody decodes')
  t.strictSame(log, ['1a1'], 'the step that ends a prefill makes the first token')
  submit(2, 10, 1)
  submit(3, 4, 1)
  t.equal(step(), 7 * 2 + 5, 'one place of eight is for the decoding slot')
  t.strictSame(log, ['1a2'], 'slot 1 took the whole room, slot 2 waits')
  t.equal(step(), 7 * 2 + 5)
  t.strictSame(log, ['1a3', '2a1', '2a ends', '3a1', '3a ends'], 'the rest of slot 1, then slot 2')
  t.equal(step(), 5, 'decoding alone costs one step, however many slots decode')
})

t.test('a cancel of a running task waits for the next step, that of a waiting one does not', async t => {
  const { engine, log, submit } = bench({ slots: 1 })
  submit(1, 8, 5)
  submit(2, 1, 1)
  submit(3, 1, 1)
  engine.begin()
  engine.cancel(1)
  engine.cancel(2)
  t.equal(engine.deferred, 1, 'the waiting one is gone')
  t.equal(engine.busySlots, 1, 'the running one still has its slot')
  engine.end()
  t.match(log, ['1 starts in 0', '1a1'], 'its batch was computed to the end')
  t.equal(engine.busySlots, 1)
  engine.begin()
  t.equal(log.at(-1), '3 starts in 0')
  t.equal(engine.counts.cancelled, 2)
})

t.test('what arrives during a step is looked at after it', async t => {
  const { engine, log, submit } = bench()
  submit(1, 1, 2)
  engine.begin()
  submit(2, 1, 1)
  t.notOk(log.includes('2 starts in 1'))
  engine.end()
  t.ok(log.includes('2 starts in 1'))
})

t.test('n choices need n slots at once; the prompt is prefilled once', async t => {
  const { engine, log, submit, step } = bench()
  submit(1, 1, 2)
  submit(2, 3, 1, { choices: 2 })
  t.equal(engine.deferred, 1, 'one free slot is not enough')
  step()
  step()
  t.ok(log.includes('2 starts in 0+1') || log.includes('2 starts in 1+0'), log.join())
  t.equal(step(), 6, 'three tokens, not six')
  t.strictSame(log.toSorted(), ['2a ends', '2a1', '2b ends', '2b1'])
})

t.test('a freed slot calls the first task that is pinned to it', async t => {
  const { log, submit, step } = bench({ slots: 2 })
  submit(1, 1, 1)
  submit(2, 1, 3)
  submit(3, 1, 1)
  submit(4, 1, 1, { pinnedSlot: 0 })
  step()
  t.strictSame(log, ['1a1', '1a ends', '4 starts in 0', '2a1'])
  step()
  t.strictSame(log, ['2a2', '4a1', '4a ends', '3 starts in 0'])
})

t.test('a pinned task waits for its slot even if others are idle', async t => {
  const { engine, submit } = bench({ slots: 2 })
  submit(1, 1, 5, { pinnedSlot: 0 })
  submit(2, 1, 5, { pinnedSlot: 0 })
  t.equal(engine.busySlots, 1)
  t.equal(engine.deferred, 1)
})

t.test('a prompt that cannot fit is refused only when a slot is free', async t => {
  const { log, submit, step } = bench({ slots: 1, slotContextTokens: 10 })
  submit(1, 1, 1)
  submit(2, 10, 1)
  submit(3, 9, 1)
  t.strictSame(log, ['1 starts in 0'])
  step()
  t.strictSame(log, ['1a1', '1a ends', '2 fails 400 exceed_context_size_error', '3 starts in 0'])
})

t.test('a full KV pool fails every running task', async t => {
  const { engine, log, submit, step } = bench({ kvPoolTokens: 8 })
  submit(1, 2, 50)
  submit(2, 2, 50)
  submit(3, 2, 1)
  step()
  t.notMatch(log, ['fails'])
  step()
  t.strictSame(log.filter(line => line.includes('fails')), ['1 fails 500 server_error', '2 fails 500 server_error'])
  t.ok(log.includes('3 starts in 0'))
  t.equal(engine.counts.failed, 2)
})

t.test('a prefix in the slot is not prefilled again, but for the last token', async t => {
  const { engine, submit, step } = bench({ promptCache: true })
  submit(1, 6, 1)
  t.equal(step(), 12)
  submit(1, 6, 1)
  t.equal(step(), 2)
  submit(1, 6, 1, { reusePrompt: false })
  t.equal(step(), 12)
  t.equal(engine.totals.cachedTokens, 5)
})
