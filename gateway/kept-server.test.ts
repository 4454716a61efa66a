import t from 'tap'
import { ServerStartError } from '../models/start.js'
import type { RunningServer } from '../models/types.js'
import { keepServer } from './kept-server.js'
import type { KeepOptions } from './kept-server.js'

type Exit = Awaited<RunningServer['exited']>

function server (name: string) {
  const { promise, resolve } = deferred()
  const running: RunningServer = { url: 'http://127.0.0.1:1', apiKey: 'key', pid: 1, commandLine: [], logPath: `/nowhere/${name}.log`, exited: promise, stop: async () => { resolve({ code: null, signal: 'SIGTERM' }) } }
  return { running, end: resolve }
}

function deferred () {
  let end: (exit: Exit) => void = () => {}
  const promise = new Promise<Exit>(resolve => { end = resolve })
  return { promise, resolve: end }
}

/** @param kills what the kernel counts, one reading after the other */
function keep (kills: readonly number[], starts: ReadonlyArray<RunningServer | Error>, rest: Partial<KeepOptions> = {}) {
  const said: string[] = []
  const [readings, left] = [[...kills], [...starts]]
  const first = server('first')
  let started = 0
  const kept = keepServer(first.running, {
    pauseMs: 1,
    say: text => { said.push(text) },
    counterOf: async () => ({ path: '/sys/fs/cgroup/weir/memory.events', read: async () => readings.shift() }),
    again: async () => {
      started++
      const next = left.shift()
      if (next === undefined) throw new Error('nothing more was planned')
      if (next instanceof Error) throw next
      return next
    },
    ...rest
  })
  return { kept, first, said, startedAgain: () => started }
}

const killed: Exit = { code: null, signal: 'SIGKILL' }

async function until (holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}

t.test('killed for want of memory: told as such, with what helps, and started again', async t => {
  const second = server('second')
  const { kept, first, said } = keep([0, 1, 1], [second.running])
  first.end(killed)
  await until(() => said.length === 2)
  t.match(said[0], /^llama-server ended: killed by the kernel for want of memory \(SIGKILL; oom_kill in \S+memory\.events went from 0 to 1\): give it more memory, .*--model.*\nstarting it again; .* 502 or 503 and Retry-After$/s)
  t.equal(said[1], 'llama-server is ready again')
  await kept.stop()
  t.same(await second.running.exited, { code: null, signal: 'SIGTERM' })
})

t.test('SIGKILL that the kernel did not count is told from it, and so is a crash', async t => {
  for (const [exit, counts, told] of [
    [killed, [3, 3], /SIGKILL, sent by another program: the kernel counted no kill/],
    [{ code: 137, signal: null }, [3, 4], /killed by the kernel for want of memory \(exit code 137;/],
    [{ code: null, signal: 'SIGSEGV' }, [3, 4], /^llama-server ended: SIGSEGV; the end of its log/],
    [{ code: 1, signal: null }, [0, 0], /^llama-server ended: exit code 1; the end/],
    [killed, [], /SIGKILL, by somebody or by the kernel for want of memory, which this system does not count \(see dmesg\)/]
  ] as const) {
    const { kept, first, said } = keep(counts, [server('second').running])
    first.end(exit)
    await until(() => said.length === 2)
    t.match(said[0], told)
    await kept.stop()
  }
})

t.test('one that does not keep running is given up, and says how it ended last', async t => {
  const [second, third] = [server('second'), server('third')]
  const { kept, first, said, startedAgain } = keep([0, 1, 1, 2, 2, 3], [second.running, third.running])
  for (const each of [first, second, third]) each.end(killed)
  t.match((await kept.givenUp).message, /went from 2 to 3.*\nllama-server did not keep running 3 times in a row, so it is not started again$/s)
  t.equal(startedAgain(), 2)
  t.equal(said.length, 4)
})

t.test('one that ran for a while in between begins to count anew', async t => {
  const servers = ['second', 'third', 'fourth', 'fifth'].map(server)
  const { kept, first, said } = keep([], servers.map(({ running }) => running), { steadyAfterMs: 0 })
  for (const each of [first, ...servers.slice(0, 3)]) each.end(killed)
  await until(() => said.length === 8)
  await kept.stop()
  t.pass('four ends, four starts')
})

t.test('starts that fail count, too; what no start can mend is given up at once', async t => {
  const start = new ServerStartError('llama-server did not start: it ended with SIGKILL before it was ready', killed)
  const failing = keep([0, 1], [start, start])
  failing.first.end(killed)
  t.match((await failing.kept.givenUp).message, /^llama-server did not start: it ended with SIGKILL.*\n.*3 times in a row/s)
  const gone = keep([0, 1], [new Error('llama-server: the model file /m.gguf does not exist or cannot be read')])
  gone.first.end(killed)
  t.match((await gone.kept.givenUp).message, /the model file \/m\.gguf does not exist/)
})

t.test('stopped while it waits to start again: it does not', async t => {
  const { kept, first, said, startedAgain } = keep([0, 1], [server('second').running], { pauseMs: 1e6 })
  first.end(killed)
  await until(() => said.length === 1)
  await kept.stop()
  t.equal(startedAgain(), 0)
})
