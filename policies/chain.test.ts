import t from 'tap'
import { refusal } from './answers.js'
import { createChain } from './chain.js'
import type { NamedPolicy } from './decide.js'
import { FakeClock, makeBody, makeCall } from './testing.js'
import type { Answer } from './contract.js'

const served: Answer = { status: 200, headers: {}, body: Buffer.from('x'), over: Promise.resolve({ how: 'complete', bytes: 1 }), released: Promise.resolve() }
const clock = new FakeClock()

t.test('the first policy is the outermost', async t => {
  const seen: string[] = []
  const around = (name: string): NamedPolicy => ({
    name,
    run: async (call, next) => {
      seen.push(name)
      const answer = await next(call, 'ok')
      seen.push(`after-${name}`)
      return answer
    }
  })
  const call = makeCall()
  const chain = createChain([around('a'), around('b')], async () => { seen.push('final'); return served }, clock)
  t.equal(await chain(call), served)
  t.same(seen, ['a', 'b', 'final', 'after-b', 'after-a'])
  t.same(call.decisions.map(decision => decision.policy), ['a', 'b'])
  t.same(call.decisions.map(decision => decision.verdict), ['pass', 'pass'])
})

t.test('an empty chain is its upstream', async t => {
  t.equal(await createChain([], async () => served, clock)(makeCall()), served)
})

t.test('an answer without next is a refusal when it has a reason, else it is served', async t => {
  const refused = makeCall()
  const refuse: NamedPolicy = { name: 'r', run: async () => refusal({ status: 429, type: 'x', message: 'm', reason: 'queue-full', facts: { queueWaitMs: 0, queued: 3 } }) }
  await createChain([refuse], async () => t.fail('upstream was called') as never, clock)(refused)
  t.match(refused.decisions, [{ verdict: 'refuse', reason: 'queue-full', steps: [], facts: { queued: 3 } }])

  const fromCache = makeCall()
  await createChain([{ name: 'c', run: async () => served }], async () => t.fail('upstream was called') as never, clock)(fromCache)
  t.match(fromCache.decisions, [{ verdict: 'serve' }])
})

t.test('another body is a change, whether the call was replaced or altered', async t => {
  for (const replace of [true, false]) {
    const call = makeCall()
    const change: NamedPolicy = {
      name: 'change',
      run: (given, next) => {
        const body = makeBody({ other: true })
        if (replace) return next({ ...given, body }, 'changed')
        given.body = body
        return next(given, 'changed')
      }
    }
    let reached: unknown
    await createChain([{ name: 'pass', run: (given, next) => next(given, 'ok') }, change], async given => { reached = given.body.json; return served }, clock)(call)
    t.same(call.decisions.map(decision => decision.verdict), ['pass', 'change'])
    t.same(reached, { other: true })
  }
})

t.test('a throw is a leave when nobody waits any more, else a failure; it is passed on', async t => {
  const thrower: NamedPolicy = { name: 't', run: async () => { throw new Error('broken') } }
  const call = makeCall()
  await t.rejects(createChain([{ name: 'outer', run: (given, next) => next(given, 'ok') }, thrower], async () => served, clock)(call), { message: 'broken' })
  t.match(call.decisions, [{ policy: 'outer', verdict: 'pass' }, { policy: 't', verdict: 'fail', reason: 'broken' }])

  const left = makeCall()
  left.leave()
  await t.rejects(createChain([thrower], async () => served, clock)(left))
  t.match(left.decisions, [{ verdict: 'leave', reason: 'client left' }])
})

t.test('a policy that fails after it passed the call on has failed', async t => {
  const call = makeCall()
  const late: NamedPolicy = { name: 'late', run: async (given, next) => { await next(given, 'ok'); throw new Error('late') } }
  await t.rejects(createChain([late], async () => served, clock)(call))
  t.match(call.decisions, [{ verdict: 'fail', reason: 'late' }])
})

t.test('queue wait is lifted out of the work; each next is a step', async t => {
  const time = new FakeClock()
  const call = makeCall()
  const twice: NamedPolicy = {
    name: 'twice',
    run: async (given, next) => {
      await time.advance(50)
      await next(given, 'first', { queueWaitMs: 40, depth: 2 })
      await time.advance(7)
      return next(given, 'again')
    }
  }
  await createChain([twice], async () => served, time)(call)
  t.match(call.decisions, [{ verdict: 'pass', reason: 'first', queueWaitMs: 40, workMs: 10, mode: 'on', facts: { queueWaitMs: 40, depth: 2 } }])
  t.same(call.decisions[0]?.steps, [{ reason: 'first', atMs: 1_050 }, { reason: 'again', atMs: 1_057 }])
})
