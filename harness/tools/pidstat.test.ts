import t from 'tap'
import { parsePidstat, pidstatTotals } from './pidstat.js'
import { recorded, stampsOf } from './testing.js'

const text = recorded('pidstat-12.6.1')
const second = { cpuPercent: 3, minorFaults: 64, majorFaults: 0, readKiB: 0, voluntarySwitches: 109 + 44 + 27, involuntarySwitches: 94 + 25, waitPercent: 1 }

t.test('times and faults of the process, switches of all its threads', async t => {
  const reports = parsePidstat(text)
  t.same(reports.map(({ values: { threads, ...values } }) => values), [{ cpuPercent: 4, minorFaults: 85, majorFaults: 0, readKiB: 0, voluntarySwitches: 72 + 43 + 23, involuntarySwitches: 115 + 18 + 2, waitPercent: 1 }, second])
  t.ok(text.slice(reports[1]?.offset).startsWith('1795533899      0     12058'))
})

t.test('a last report that was cut is left out', async t => {
  for (const cut of [text.length - 1, text.trimEnd().lastIndexOf('\n') + 1, text.indexOf('1795533899') + 20]) t.equal(parsePidstat(text.slice(0, cut)).length, 1, String(cut))
  t.same(parsePidstat(''), [])
})

t.test('other columns in another order, and what a kernel keeps to itself', async t => {
  const old = '# Time        UID      TGID       TID    %usr %system  %guest    %CPU   CPU   kB_rd/s   kB_wr/s kB_ccwr/s  minflt/s  majflt/s     VSZ     RSS   %MEM   cswch/s nvcswch/s  Command\n' +
    '1423489845     0      7         -   10.00    2.50    0.00   12.50     1     -1.00     -1.00     -1.00      5.00      1.00    1000     100   0.01      1.00      0.00  a b c\n' +
    '1423489845     0         -      7   10.00    2.50    0.00   12.50     1     -1.00     -1.00     -1.00      5.00      1.00    1000     100   0.01      1.00      0.50  |__a b c\n'
  t.same(parsePidstat(old)[0]?.values, { threads: new Map(), cpuPercent: 12.5, minorFaults: 5, majorFaults: 1, readKiB: undefined, voluntarySwitches: 1, involuntarySwitches: 0.5, waitPercent: undefined })
})

t.test('threads that used a hundredth of its CPU time or more, most first, with their own waits', async t => {
  const header = '# Time UID TGID TID %usr %system %wait minflt/s majflt/s kB_rd/s cswch/s nvcswch/s Command\n'
  const row = (time: number, tid: string, usr: number, wait: number): string => `${time} 0 ${tid === '-' ? 7 : '-'} ${tid} ${usr} 0 ${wait} 0 0 0 0 0 a\n`
  const report = (time: number): string => header + row(time, '-', 100.5, 9) + row(time, '7', 0.5, 9) + row(time, '8', 40, 50) + row(time, '9', 60, 30) + '\n'
  const ofTwo = report(1) + report(2)
  t.match(pidstatTotals(ofTwo, stampsOf('pidstat', ofTwo, parsePidstat(ofTwo)), { fromMs: 0, toMs: 9000 })?.threads, [{ cpuUsec: 600_000, waitUsec: 300_000 }, { cpuUsec: 400_000, waitUsec: 500_000 }])
})

t.test('rates become counts over whole intervals', async t => {
  const reports = parsePidstat(text)
  const stamps = stampsOf('pidstat', text, reports)
  t.same(pidstatTotals(text, stamps, { fromMs: 0, toMs: 5000 }), { fromMs: 1000, toMs: 2000, cpuUsec: 30_000, voluntarySwitches: 180, involuntarySwitches: 119, minorFaults: 64, majorFaults: 0, readBytes: 0, waitUsec: 10_000, threads: [{ cpuUsec: 30_000, waitUsec: 0 }] })
  const late = stamps.map(stamp => stamp.atMs >= 2000 ? { ...stamp, atMs: stamp.atMs + 1000 } : stamp)
  t.match(pidstatTotals(text, late, { fromMs: 0, toMs: 5000 }), { cpuUsec: 60_000, minorFaults: 128 }, 'twice as long, twice as much')
  for (const window of [{ fromMs: 1001, toMs: 5000 }, { fromMs: 0, toMs: 1999 }]) t.equal(pidstatTotals(text, stamps, window), undefined)
})
