import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { BlockEvidence, CallSample, OpenLoopWorkload } from '../types.js'
import { runBlock, type BlockInput } from './block.js'
import { fakeGroupHost, fakeKnob, smallStreams, streamsBlock } from './testing.js'

const evidenceOf = ({ folder }: BlockInput): BlockEvidence => JSON.parse(readFileSync(join(folder, 'block.json'), 'utf8')) as BlockEvidence
const callsOf = ({ folder }: BlockInput): CallSample[] => readFileSync(join(folder, 'calls.ndjson'), 'utf8').trim().split('\n').map(line => JSON.parse(line) as CallSample)

/** Processes of this block that still run. */
function leftBy ({ folder }: BlockInput): string[] {
  const base = folder.slice(0, folder.lastIndexOf('/'))
  return readdirSync('/proc').filter(name => /^\d+$/.test(name) && Number(name) !== process.pid).filter(pid => {
    try { return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(base) } catch { return false }
  })
}

/** A call was begun by llama-server; it may be over by now. */
async function untilBegun (url: string, apiKey: string): Promise<void> {
  while (!/prompt_tokens_total [1-9]/.test(await (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${apiKey}` } })).text())) await sleep(20)
}

/** A call is under way at llama-server: its gauge says so. */
async function untilBusy (url: string, apiKey: string): Promise<void> {
  while (!/requests_processing [1-9]/.test(await (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${apiKey}` } })).text())) await sleep(20)
}

t.test('group, before, server, running, read back, warm-up, load, and all undone in reverse', async t => {
  const log: string[] = []
  const { host, group } = fakeGroupHost(log)
  const counters = [{ 'cpu.stat.nr_throttled': 3 }, { 'cpu.stat.nr_throttled': 11, 'memory.events.oom_kill': 0 }]
  const input = streamsBlock(t, {
    knobs: [
      fakeKnob('a', log, { controllers: ['cpu'], launch: server => ({ ...server, threads: 7 }) }),
      fakeKnob('b', log, { controllers: ['memory', 'cpu'], launch: server => ({ ...server, extraArgs: ['--mlock', `--seen-threads=${server.threads}`] }) })
    ],
    groupHost: host,
    onStep: step => {
      log.push(step)
      if (step === 'load') group.now = counters[1] ?? {}
    }
  })
  group.now = counters[0] ?? {}
  await runBlock(input)
  t.same(log, ['start', 'group made with cpu memory', 'a before', 'b before', 'a running', 'b running', 'a read back', 'b read back', 'load',
    'b undone running', 'a undone running', 'b undone before', 'a undone before', 'group removed'])
  const evidence = evidenceOf(input)
  t.match(evidence, {
    plan: input.plan,
    group: { version: 'v2', path: group.path },
    groupCountersAtStart: counters[0],
    groupCountersAtEnd: counters[1],
    readBack: { a: 'on', b: 'on' }
  })
  t.match(evidence.serverCommandLine.join(' '), / env .*-t 7 .*--mlock --seen-threads=7$/, 'inside the group, launched with both knobs')
  t.equal(evidence.serverEnd, undefined)
  const [from, to] = [evidence.serverCountersAtStart, evidence.serverCountersAtEnd]
  t.equal((to?.['tokens_predicted_total'] ?? 0) - (from?.['tokens_predicted_total'] ?? 0), 20, 'llama-server’s own totals: of the load, not of the warm-up')
  t.ok((to?.['n_decode_total'] ?? 0) - (from?.['n_decode_total'] ?? 0) >= 20)
  const calls = callsOf(input)
  t.same(calls.map(call => `${call.phase} ${call.outcome}`), ['warm-up answered', 'load answered', 'load answered'])
  t.ok(calls.filter(call => call.phase === 'load').every(call => call.sentMs >= evidence.judgedFromMs && call.doneMs <= evidence.judgedToMs))
  t.ok(existsSync(join(input.folder, 'samples.ndjson')))
  t.notOk(existsSync(join(input.folder, 'gateway.ndjson')))
  t.same(leftBy(input), [])
})

t.test('the yardstick is read before anything of the block is started and after all is put back', async t => {
  const log: string[] = []
  const readings = [3, 4.5]
  const input = streamsBlock(t, {
    knobs: [fakeKnob('a', log)],
    yardstick: async () => {
      log.push('yardstick')
      return { threads: 2, ms: readings.shift() ?? NaN }
    },
    onStep: step => { log.push(step) }
  })
  await runBlock(input)
  t.same(log, ['yardstick', 'start', 'a before', 'a running', 'a read back', 'load', 'a undone running', 'a undone before', 'yardstick'])
  t.same(evidenceOf(input).yardstick, { threads: 2, beforeMs: 3, afterMs: 4.5 })
})

t.test('an open loop: closed loop, load, and the closed loop again with prompts of its own, each with its CPU time', async t => {
  const workload: OpenLoopWorkload = {
    kind: 'open-loop',
    classes: [{ name: 'default', promptWords: 4, maxTokens: 4, share: 1 }],
    ratePerSecond: 20,
    rampSeconds: 0.2,
    windowSeconds: 0.5,
    drainSeconds: 5,
    capacityCalls: 3,
    capacitySeconds: 0,
    capacityAgain: true,
    closedLoopClients: 1,
    ttftLimitMs: { default: 1000 }
  }
  const steps: string[] = []
  const input = streamsBlock(t, { workload, onStep: step => { steps.push(step) } })
  await runBlock(input)
  t.same(steps, ['start', 'capacity', 'load', 'capacity again'])
  const { closedLoops = [], loadFromMs, drainedAtMs } = evidenceOf(input)
  const [first, second] = closedLoops
  t.equal(closedLoops.length, 2)
  t.ok(first !== undefined && second !== undefined && first.toMs <= loadFromMs && second.fromMs >= drainedAtMs)
  t.ok(closedLoops.every(({ serverCpuUsec = -1 }) => serverCpuUsec >= 0))
  const calls = callsOf(input)
  t.equal(calls.filter(call => call.phase === 'load').length, 14, '0.7 s at 20 a second')
  const own = calls.filter(call => call.phase === 'capacity')
  t.ok(own.length >= 6 && own.every(({ outcome }) => outcome === 'answered' || outcome === 'unanswered'))
  t.same(leftBy(input), [])
})

t.test('calls that come together are rehearsed through the gateway with prompts of their own; workers ask again until the end', async t => {
  const workload: OpenLoopWorkload = {
    kind: 'open-loop',
    classes: [{ name: 'same', promptWords: 4, maxTokens: 4, share: 1, together: { calls: 5, prompt: 'one' } }],
    ratePerSecond: 2,
    rampSeconds: 0.2,
    windowSeconds: 0.3,
    drainSeconds: 5,
    capacityCalls: 2,
    capacitySeconds: 0,
    closedLoopClients: 1,
    ttftLimitMs: { same: 1000 }
  }
  const together = streamsBlock(t, { workload })
  await runBlock(together)
  const calls = callsOf(together)
  const [rehearsed, load] = ['unloaded', 'load'].map(wanted => calls.filter(({ phase, outcome }) => phase === wanted && outcome === 'answered'))
  t.equal(rehearsed?.length, 16)
  t.equal(load?.length, 5)
  t.ok(rehearsed?.every(({ weirId }) => weirId !== undefined), 'through the gateway')
  t.equal(new Set(load?.map(({ answerHash }) => answerHash)).size, 1)
  t.ok(Math.max(...rehearsed?.map(({ doneMs }) => doneMs) ?? []) <= evidenceOf(together).loadFromMs)

  const working = streamsBlock(t, { workload: { ...workload, classes: [{ name: 'same', promptWords: 4, maxTokens: 4, share: 1 }], workers: 3 } })
  await runBlock(working)
  const asked = callsOf(working).filter(({ phase }) => phase === 'load')
  t.ok(asked.length >= 3 && asked.every(({ outcome, weirId }) => outcome === 'answered' && weirId !== undefined), `${asked.length} calls`)
  t.notOk(callsOf(working).some(({ phase }) => phase === 'unloaded'))
})

t.test('a knob that did not take: no block, everything undone', async t => {
  for (const [name, over, undone] of [
    ['read back', { readBack: async () => { throw new Error('b: asked 500, seen max') } }, ['b undone running', 'a undone running', 'b undone before', 'a undone before', 'group removed']],
    ['running', { running: async () => { throw new Error('b: asked 500, seen max') } }, ['a undone running', 'b undone before', 'a undone before', 'group removed']],
    ['before', { before: async () => { throw new Error('b: asked 500, seen max') } }, ['a undone before', 'group removed']]
  ] as const) {
    const log: string[] = []
    const input = streamsBlock(t, { knobs: [fakeKnob('a', log, { controllers: ['cpu'] }), fakeKnob('b', log, over)], groupHost: fakeGroupHost(log).host })
    await t.rejects(runBlock(input), { message: 'b: asked 500, seen max' })
    t.same(log.filter(line => /undone|removed/.test(line)), undone, name)
    t.notOk(existsSync(join(input.folder, 'block.json')))
    t.same(leftBy(input), [])
  }
})

t.test('an open loop of several callers: each with its key and its limit, refused ones come back, options reach the gateway', async t => {
  const cls = { promptWords: 4, maxTokens: 4, share: 0.5 }
  const workload: OpenLoopWorkload = {
    kind: 'open-loop',
    classes: [{ ...cls, name: 'a', caller: 'ann' }, { ...cls, name: 'b', caller: 'bob', maxTokens: { median: 4, sigma: 0.5, from: 2, to: 6 }, leave: { share: 1, afterMs: 0 } }],
    grants: { bob: { maxPlaces: 1 } },
    ratePerSecond: 40,
    rampSeconds: 0.2,
    windowSeconds: 0.6,
    drainSeconds: 5,
    capacityCalls: 3,
    capacitySeconds: 0,
    closedLoopClients: 1,
    ttftLimitMs: { a: 4000, b: 5000 }
  }
  const input = streamsBlock(t, {
    workload, policies: ['admission'], policyOptions: { admission: { maxQueued: 1 } }, tellsLimit: true, retry: { wait: 0.1, tries: 3, patienceSeconds: 60 }
  }, { FAKE_DECODE_MS_PER_TOKEN: '20' })
  await runBlock(input)
  const file = (name: string): string => readFileSync(join(input.folder, name), 'utf8')
  t.match(JSON.parse(file('gateway.json')), { policies: [{ name: 'admission', ttftLimitMs: 5000, maxQueued: 1 }], apiKeys: [{ name: 'ann', sha256: /^[0-9a-f]{64}$/ }, { name: 'bob', maxPlaces: 1 }] })
  const calls = callsOf(input)
  const load = calls.filter(call => call.phase === 'load')
  t.equal(load.length, 32, 'a line for each call, however often it was tried')
  t.ok(load.some(({ refusals = [] }) => refusals.length > 0) && load.every(({ refusals = [] }) => refusals.length <= 2))
  t.ok(load.some(({ outcome, reason, cls }) => cls === 'b' && outcome === 'unanswered' && reason === 'left'))
  t.ok(calls.every(({ maxTokens = 0, cls }) => cls === 'b' ? maxTokens >= 2 && maxTokens <= 6 : maxTokens === 0), 'closed loop included')
  t.ok(calls.every(({ phase, outcome, reason }) => phase === 'load' || outcome === 'answered' || reason === 'enough'), 'straight to llama-server nobody leaves')
  const records = file('gateway.ndjson').trim().split('\n').map(line => JSON.parse(line) as { msg: string, caller: string })
  t.same([...new Set(records.filter(({ msg }) => msg === 'call').map(({ caller }) => caller))].sort(), ['ann', 'bob'])
})

t.test('two knobs that see one thing differently contradict each other', async t => {
  const input = streamsBlock(t, { knobs: [fakeKnob('a', []), fakeKnob('b', [], { readBack: async () => ({ a: 'off' }) })] })
  await t.rejects(runBlock(input), /b: a is read back as off, by another knob as on/)
})

t.test('a llama-server that is killed under streams is evidence', async t => {
  const log: string[] = []
  const { host, group } = fakeGroupHost(log)
  let killing: Promise<void> | undefined
  const input: BlockInput = streamsBlock(t, {
    workload: { ...smallStreams, warmupCalls: 0, calls: 50, predictTokens: 4000 },
    knobs: [fakeKnob('limit', log, {
      controllers: ['memory'],
      running: async at => {
        killing = untilBusy(at.url, at.apiKey).then(() => {
          group.now = { 'memory.events.oom_kill': 1 }
          process.kill(at.pid, 'SIGKILL')
        })
        return async () => { log.push('limit undone') }
      }
    })],
    groupHost: host
  }, { FAKE_DECODE_MS_PER_TOKEN: '5' })
  await runBlock(input)
  await killing
  t.match(evidenceOf(input), { serverEnd: { during: 'load', code: null, signal: 'SIGKILL' }, groupCountersAtStart: {}, groupCountersAtEnd: { 'memory.events.oom_kill': 1 } })
  const calls = callsOf(input)
  t.ok(calls.length >= 1 && calls.length < 50, `${calls.length} calls: the rest was not worth making`)
  t.match(calls[0], { phase: 'load', outcome: 'failed' })
  t.same(log.slice(-3), ['limit undone', 'limit undone before', 'group removed'])
})

t.test('what a knob does under load is done once the first call was sent, and undone', async t => {
  const log: string[] = []
  const input = streamsBlock(t, {
    workload: { ...smallStreams, warmupCalls: 0, predictTokens: 300, calls: 1 },
    knobs: [fakeKnob('drop', log, {
      underLoad: async at => {
        await untilBegun(at.url, at.apiKey)
        log.push('drop under load')
        return async () => { log.push('drop undone under load') }
      }
    })]
  }, { FAKE_DECODE_MS_PER_TOKEN: '5' })
  await runBlock(input)
  t.same(log, ['drop before', 'drop running', 'drop read back', 'drop under load', 'drop undone under load', 'drop undone running', 'drop undone before'])
  const failing = streamsBlock(t, { knobs: [fakeKnob('drop', [], { underLoad: async () => { throw new Error('it was not to be') } })] }, { FAKE_DECODE_MS_PER_TOKEN: '60' })
  await t.rejects(runBlock(failing), /it was not to be/)
})

t.test('killed by its limit before it was ready: evidence, too; a start that fails for another reason is an error', async t => {
  const log: string[] = []
  const { host, group } = fakeGroupHost(log)
  const dies = { launch: (server: BlockInput['server']) => ({ ...server, binary: { ...server.binary, command: '/bin/sh', argsBefore: ['-c', 'kill -9 $$'] } }) }
  const input = streamsBlock(t, { knobs: [fakeKnob('limit', log, { controllers: ['memory'], ...dies })], groupHost: host })
  await t.rejects(runBlock(input), /llama-server did not start/)
  t.equal(log.at(-1), 'group removed')
  group.now = { 'memory.events.oom_kill': 1 }
  await runBlock(input)
  t.match(evidenceOf(input), { serverEnd: { during: 'start', signal: 'SIGKILL', why: /SIGKILL/ }, groupCountersAtEnd: { 'memory.events.oom_kill': 1 } })
  t.equal(log.at(-1), 'group removed')
})

t.test('a stop in the middle of the load: no block, everything undone', async t => {
  const log: string[] = []
  const stop = new AbortController()
  const input = streamsBlock(t, {
    workload: { ...smallStreams, warmupCalls: 0, predictTokens: 4000 },
    knobs: [fakeKnob('a', log, {
      controllers: ['cpu'],
      running: async at => {
        untilBusy(at.url, at.apiKey).then(() => stop.abort(new Error('stopped by the user')), () => {})
        return async () => { log.push('a undone') }
      }
    })],
    groupHost: fakeGroupHost(log).host,
    signal: stop.signal
  }, { FAKE_DECODE_MS_PER_TOKEN: '5' })
  await t.rejects(runBlock(input), /stopped by the user/)
  t.same(log.slice(-3), ['a undone', 'a undone before', 'group removed'])
  t.notOk(existsSync(join(input.folder, 'block.json')))
  t.same(leftBy(input), [])
})

t.test('where no group can be made the error says what to type; nothing is started', async t => {
  const log: string[] = []
  const none = streamsBlock(t, { knobs: [fakeKnob('cpu-quota=500/1000', log, { controllers: ['cpu'] })] })
  await t.rejects(runBlock(none), /cpu-quota=500\/1000: needs a control group for llama-server, and none can be made here: no cgroup2 is mounted\. To mend: type this/)
  const lacking = streamsBlock(t, { knobs: [fakeKnob('io', log, { controllers: ['io', 'cpu'] })], groupHost: fakeGroupHost(log).host })
  await t.rejects(runBlock(lacking), /io: needs the controllers io, cpu; \/sys\/fs\/cgroup \(cgroup v2\) lacks io/)
  t.same(log, [])
})
