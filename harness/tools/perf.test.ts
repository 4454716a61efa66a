import t from 'tap'
import { parsePerf, perfRefused, perfTotals } from './perf.js'
import { recorded, stampsOf } from './testing.js'

const text = recorded('perf-6.1')

t.test('perf 6.1', async t => {
  const reports = parsePerf(text)
  t.same(reports.map(({ values }) => values), [
    { 'context-switches': 323, 'cpu-migrations': 5, 'minor-faults': 67, 'major-faults': 0, 'task-clock': 32.31 },
    { 'context-switches': 375, 'cpu-migrations': 2, 'minor-faults': 66, 'major-faults': 0, 'task-clock': 28.42 }
  ])
  t.same(perfTotals(text, stampsOf('perf', text, reports), { fromMs: 0, toMs: 9000 }), { fromMs: 1000, toMs: 2000, contextSwitches: 375, cpuMigrations: 2, minorFaults: 66, majorFaults: 0, cpuUsec: 28_420 })
  t.equal(parsePerf(text.slice(0, text.lastIndexOf('     2.00'))).length, 1, 'the last report without its last event')
})

t.test('a process that stood still counted 0; what the kernel does not support is no 0', async t => {
  const lines = (value: string, tail: string): string => ['1.001', '2.002'].map(at => ['context-switches', 'cpu-migrations', 'minor-faults', 'major-faults', 'task-clock']
    .map(event => `     ${at}529914,${value},${event === 'task-clock' ? 'msec' : ''},${event},0,100.00${tail}\n`).join('')).join('')
  const still = lines('<not counted>', ',,')
  t.match(perfTotals(still, stampsOf('perf', still, parsePerf(still)), { fromMs: 0, toMs: 9000 }), { contextSwitches: 0, cpuUsec: 0 })
  const none = lines('<not supported>', '')
  t.equal(perfTotals(none, stampsOf('perf', none, parsePerf(none)), { fromMs: 0, toMs: 9000 }), undefined)
  const user = text.replaceAll('context-switches', 'context-switches:u')
  t.equal(perfTotals(user, stampsOf('perf', user, parsePerf(user)), { fromMs: 0, toMs: 9000 }), undefined, 'user space only')
})

t.test('an ordinary user may need a setting', async t => {
  t.match(perfRefused(2, false), /perf_event_paranoid is 2, above 1: sudo sysctl/)
  t.equal(perfRefused(2, true), undefined)
  t.equal(perfRefused(1, false), undefined)
  t.equal(perfRefused(NaN, false), undefined)
})
