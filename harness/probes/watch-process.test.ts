import t from 'tap'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { watchProcess } from './watch-process.js'

const linux = { skip: process.platform !== 'linux' && 'Linux only' }

t.test('this process is read over all its threads', linux, async t => {
  const watch = watchProcess(process.pid)
  const found = watch.read({ withThreads: true })
  t.ok(found)
  t.ok((found?.threads ?? 0) > 1)
  t.ok((found?.rssBytes ?? 0) > 10_000_000)
  t.ok((found?.cpuUsec ?? 0) > 0)
  t.ok((found?.voluntarySwitches ?? 0) > 0)
  t.notOk('pssBytes' in (found ?? {}))
  t.notOk('voluntarySwitches' in (watch.read({ withThreads: false }) ?? {}))
  t.ok((watch.readPssBytes() ?? 0) > 1_000_000)
})

t.test('a process that is gone is undefined, one that ends under its reader too', linux, async t => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { env: {} })
  const watch = watchProcess(child.pid ?? 0)
  t.ok(watch.read({ withThreads: false }))
  child.kill('SIGKILL')
  await once(child, 'close')
  for (const each of [watch, watchProcess(child.pid ?? 0)]) {
    t.equal(each.read({ withThreads: true }), undefined)
    t.equal(each.readPssBytes(), undefined)
  }
})
