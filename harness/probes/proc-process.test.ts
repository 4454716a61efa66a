import t from 'tap'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { parseProcStat, parsePssBytes, parseReadBytes, parseRunQueueWaitNs, parseSwitches, readProcess } from './proc-process.js'

const rest = ' S 5876 5876 2751 0 -1 4194304 101 7 13 2 250 30 4 6 20 0 17 0 619341 3133440 384 18446744073709551615 94825609592832 0 0 0\n'

t.test('stat, whatever the program is called', async t => {
  for (const name of ['cat', 'llama server', 'a) R 1 2 3', '((', '))) S 1', 'two\nlines', '']) {
    t.same(parseProcStat(`5878 (${name})${rest}`), { minorFaults: 101, majorFaults: 13, cpuUsec: 2_800_000, childrenCpuUsec: 100_000, threads: 17 }, JSON.stringify(name))
  }
})

t.test('what is no stat gives nothing', async t => {
  for (const text of ['', '5878 (cat', '5878 (cat) S 1 2', 'no brackets here 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20']) t.equal(parseProcStat(text), undefined)
})

const status = `Name:\tvoluntary_ctxt_switches:\t999
Umask:\t0022
State:\tS (sleeping)
VmRSS:\t    1684 kB
Threads:\t17
Cpus_allowed_list:\t0-1
voluntary_ctxt_switches:\t53843
nonvoluntary_ctxt_switches:\t21
`

t.test('context switches of one thread, even of one that is named after them', async t => {
  t.same(parseSwitches(status), { voluntary: 53843, involuntary: 21 })
  t.same(parseSwitches(''), { voluntary: 0, involuntary: 0 })
})

t.test('schedstat, io and smaps_rollup', async t => {
  t.equal(parseRunQueueWaitNs('6239296 53843 2\n'), 53843)
  t.equal(parseRunQueueWaitNs(''), undefined)
  t.equal(parseReadBytes('rchar: 6992\nwchar: 16\nsyscr: 12\nsyscw: 1\nread_bytes: 4096\nwrite_bytes: 8\ncancelled_write_bytes: 0\n'), 4096)
  t.equal(parseReadBytes(''), undefined)
  t.equal(parsePssBytes('55a38c467000-7fffe69bd000 ---p 00000000 00:00 0                          [rollup]\nRss:                1684 kB\nPss:                 327 kB\nPss_Dirty:           112 kB\nSwapPss:               9 kB\n'), 327 * 1024)
})

t.test('this process is read over all its threads', { skip: process.platform !== 'linux' }, async t => {
  const found = readProcess(process.pid, { withPss: true })
  t.ok(found)
  t.ok((found?.threads ?? 0) > 1)
  t.ok((found?.rssBytes ?? 0) > 10_000_000)
  t.ok((found?.cpuUsec ?? 0) > 0)
  t.notOk('pssBytes' in (readProcess(process.pid, { withPss: false }) ?? {}))
})

t.test('a process that is gone is undefined', { skip: process.platform !== 'linux' }, async t => {
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'close')
  t.equal(readProcess(child.pid ?? 0, { withPss: true }), undefined)
})
