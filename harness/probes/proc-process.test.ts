import t from 'tap'
import { parseMemory, parseProcStat, parsePssBytes, parseReadBytes, parseSchedule, parseSwitches } from './proc-process.js'

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
VmPeak:\t    9000 kB
VmLck:\t      64 kB
VmRSS:\t    1684 kB
RssAnon:\t     684 kB
RssFile:\t    1000 kB
RssShmem:\t       0 kB
VmSwap:\t       8 kB
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
  t.same(parseSchedule('6239296 53843 2\n'), { onCpuNs: 6239296, runQueueWaitNs: 53843 })
  t.equal(parseSchedule(''), undefined)
  t.equal(parseReadBytes('rchar: 6992\nwchar: 16\nsyscr: 12\nsyscw: 1\nread_bytes: 4096\nwrite_bytes: 8\ncancelled_write_bytes: 0\n'), 4096)
  t.equal(parseReadBytes(''), undefined)
  t.equal(parsePssBytes('55a38c467000-7fffe69bd000 ---p 00000000 00:00 0                          [rollup]\nRss:                1684 kB\nPss:                 327 kB\nPss_Dirty:           112 kB\nSwapPss:               9 kB\n'), 327 * 1024)
})

t.test('memory, with what an old kernel does not say', async t => {
  t.same(parseMemory(status), { rssBytes: 1684 * 1024, rssAnonBytes: 684 * 1024, rssFileBytes: 1000 * 1024, lockedBytes: 64 * 1024, swapBytes: 8 * 1024 })
  t.same(parseMemory('Name:\tVmLck: 5 kB\nVmRSS:\t 4 kB\n'), { rssBytes: 4096 })
  t.equal(parseMemory('Name:\tzombie\nState:\tZ (zombie)\n'), undefined)
})
