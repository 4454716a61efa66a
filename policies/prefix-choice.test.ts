import t from 'tap'
import { PrefixChoice } from './prefix-choice.js'
import type { SlotSeen } from './slot-table.js'

/** One token for each character, whatever they are. */
function setUp () {
  const said: string[] = []
  const choice = new PrefixChoice(why => said.push(why))
  let last = 0
  /** Runs a call to its end in the slot that is chosen for it, or in the given one, where it finds what was predicted unless told otherwise. */
  function run (prompt: string | undefined, atMs: number, { idle = [0, 1, 2], slot, cached, output = 10, fresh = false }: { idle?: readonly number[], slot?: number, cached?: number, output?: number, fresh?: boolean } = {}) {
    const call = { id: `c${++last}`, prefillTokens: 0, ...(prompt === undefined ? {} : { prompt }), reusesNothing: fresh }
    const chosen = slot ?? choice.choose(call, idle, atMs)
    choice.started(call, chosen, atMs)
    const predicted = choice.predictedTokens(call.id)
    const cachedTokens = cached ?? predicted ?? 0
    choice.released(call.id, { evaluatedTokens: (prompt ?? '').length - cachedTokens, cachedTokens, outputTokens: output }, atMs)
    return { chosen, predicted }
  }
  const saw = (slots: readonly SlotSeen[], atMs: number): void => choice.saw({ slots, askedAtMs: atMs, atMs })
  return { choice, said, run, saw }
}

const of = (letter: string, chars = 400): string => letter.repeat(chars)

t.test('a conversation finds its slot', async t => {
  const { run } = setUp()
  t.equal(run(of('a'), 0).chosen, 0)
  t.equal(run(of('b'), 1).chosen, 1, 'an empty slot, where nothing is lost')
  t.equal(run(of('c'), 2).chosen, 2)
  t.same(run(of('b', 500), 3), { chosen: 1, predicted: 400 })
  t.same(run(of('a', 500), 4), { chosen: 0, predicted: 400 })
  t.equal(run(of('b', 500) + 'x', 5, { idle: [0, 2] }).predicted, 0, 'its own slot is busy, and others have nothing of it')
})

t.test('a small request takes the slot whose loss costs least', async t => {
  const { run } = setUp()
  run(of('a', 1_500), 0, { slot: 0 })
  run(of('b', 40), 1, { slot: 1 })
  run(of('c', 1_500), 2, { slot: 2 })
  t.equal(run('small', 3).chosen, 1)
  t.equal(run('small too', 4).chosen, 1)
  t.equal(run(of('c', 1_600), 5).chosen, 2, 'and the long ones are still there')
})

t.test('what is common to all does not draw a newcomer into the slot of a long conversation', async t => {
  const { run } = setUp()
  const system = of('s', 100)
  run(system + of('a', 900), 0, { slot: 0 })
  t.equal(run(system + of('b', 900), 1).chosen, 1)
  t.equal(run(system + of('c', 50), 2).chosen, 2)
  t.equal(run(system + 'newcomer', 3).chosen, 2)
})

t.test('where conversations take turns, the one that comes back last loses its slot', async t => {
  const { run } = setUp()
  const kept: boolean[] = []
  const held = new Map<number, string>()
  for (let turn = 0; turn < 12; turn++) {
    for (const [index, name] of ['a', 'b', 'c', 'd', 'e', 'f'].entries()) {
      const { chosen = -1 } = run(of(name, 200 + turn * 50), (turn * 6 + index) * 1_000)
      if (turn >= 4) kept.push(held.get(chosen) === name)
      held.set(chosen, name)
    }
  }
  // The best that can be: two of three slots keep theirs, one serves all others: (3 − 1) ÷ (6 − 1).
  t.ok(kept.filter(Boolean).length / kept.length >= 0.8 * 2 / 5, `kept ${kept.filter(Boolean).length} of ${kept.length}; who throws out the least recently used one keeps none`)
})

t.test('waits for a busy slot when that is sooner', async t => {
  const { choice, run } = setUp()
  run(of('a', 1_000), 0, { slot: 0 })
  const call = (prompt: string, reusesNothing = false) => ({ id: 'next', prefillTokens: 0, prompt, reusesNothing })
  const awaits = (given: ReturnType<typeof call>, leftMs: number, msPerToken = 2) => choice.awaits(given, [1, 2], [{ slot: 0, leftMs }], msPerToken)
  t.equal(awaits(call(of('a', 1_100)), 500), 2_020, 'prompt and answer, 2 ms each')
  t.equal(awaits(call(of('a', 1_100)), 2_100), undefined, 'evaluated again sooner')
  t.equal(awaits(call(of('a', 1_100)), Infinity), undefined)
  t.equal(awaits(call(of('a', 1_100)), 500, 0), undefined, 'it is not known what a token costs')
  t.equal(awaits(call(of('b', 1_100)), 500), undefined)
  t.equal(awaits(call(of('a', 1_100), true), 500), undefined, 'it wants nothing out of a cache')
})

t.test('nothing is predicted where it is not certain what a slot has', async t => {
  const { choice, run, saw } = setUp()
  run(of('a'), 0, { slot: 0 })
  t.equal(run(of('a', 500), 1).predicted, 400)
  t.equal(run(of('a', 600), 2, { fresh: true, slot: 0 }).predicted, 0)
  const broken = { id: 'broken', prefillTokens: 0, prompt: of('a', 700) }
  choice.started(broken, 0, 3)
  choice.released('broken', undefined, 4)
  t.equal(run(of('a', 800), 5, { slot: 0 }).predicted, undefined, 'the last call did not run to its end')
  const elsewhere = { id: 'elsewhere', prefillTokens: 0 }
  choice.started(elsewhere, undefined, 6)
  choice.released('elsewhere', undefined, 7)
  t.equal(run(of('a', 900), 8, { slot: 0 }).predicted, undefined, 'a call ran somewhere')
  saw([{ id: 0, busy: false, taskId: 1 }], 10_000)
  t.equal(run(of('a', 1_000), 10_001, { slot: 0 }).predicted, 900)
})

t.test('a slot in which somebody else was is forgotten', async t => {
  const { run, saw } = setUp()
  const seen = (taskId: number | undefined, atMs: number): void => saw([{ id: 0, busy: false, ...(taskId === undefined ? {} : { taskId }) }], atMs)
  run(of('a'), 0, { slot: 0 })
  seen(5, 1_000)
  seen(5, 3_000)
  t.equal(run(of('a', 500), 3_001).predicted, 400)
  seen(9, 5_000)
  t.equal(run(of('a', 600), 5_001).predicted, 500, 'that task was ours')
  seen(12, 7_000)
  seen(20, 9_000)
  t.equal(run(of('a', 700), 9_001).predicted, undefined)
  seen(25, 11_000)
  seen(undefined, 13_000)
  t.equal(run(of('a', 800), 13_001).predicted, undefined, 'llama-server was started again')
})

t.test('leaves the choice to llama-server when its predictions do not hold', async t => {
  const { choice, said, run } = setUp()
  for (let call = 0; call < 12; call++) run(of('a', 400 + call), call, { slot: 0, cached: 0 })
  t.equal(said.length, 1)
  t.equal(choice.choose({ id: '', prefillTokens: 0, prompt: of('a') }, [0, 1], 99), undefined)
  t.equal(choice.awaits({ id: '', prefillTokens: 0, prompt: of('a') }, [1], [{ slot: 0, leftMs: 1 }], 9), undefined)
  const good = setUp()
  for (let call = 0; call < 12; call++) good.run(of('a', 400 + call), call, { slot: 0, cached: call === 0 ? 0 : 399 + call })
  t.same(good.said, [])
  t.ok((good.choice.foundShare ?? 0) > 0.99)
})
