import t from 'tap'
import { iostatTotals, parseIostat } from './iostat.js'
import { recorded, stampsOf } from './testing.js'

t.test('sysstat 12.6', async t => {
  const text = recorded('iostat-12.6.1')
  t.same(parseIostat(text).map(({ values }) => values), [
    { reads: 0, readKiB: 0, writtenKiB: 0, readWaitMs: 0 },
    { reads: 0, readKiB: 0, writtenKiB: 104, readWaitMs: 0 }
  ])
  t.match(iostatTotals(text, stampsOf('iostat', text, parseIostat(text)), { fromMs: 0, toMs: 9000 }), { fromMs: 1000, toMs: 2000, reads: 0, readBytes: 0, writtenBytes: 104 * 1024 })
  t.equal(parseIostat(text.slice(0, text.lastIndexOf('vda'))).length, 1, 'cut')
})

/** Columns of sysstat 11.5, 12.0 and 12.6. */
const headers = [
  ['Device:         rrqm/s   wrqm/s     r/s     w/s    rkB/s    wkB/s avgrq-sz avgqu-sz   await r_await w_await  svctm  %util', '0 0 20 1 400 8 40 0.1 3 2.5 9 1 2'],
  ['Device            r/s     w/s     rkB/s     wkB/s   rrqm/s   wrqm/s  %rrqm  %wrqm r_await w_await aqu-sz rareq-sz wareq-sz  svctm  %util', '20 1 400 8 0 0 0 0 2.5 9 0.1 20 8 1 2'],
  ['Device            r/s     rkB/s   rrqm/s  %rrqm r_await rareq-sz     w/s     wkB/s   wrqm/s  %wrqm w_await wareq-sz     d/s     dkB/s   drqm/s  %drqm d_await dareq-sz     f/s f_await  aqu-sz  %util', '20 400 0 0 2.5 20 1 8 0 0 9 8 0 0 0 0 0 0 0 0 0.1 2']
] as const

t.test('columns by name; all disks together, but no loops, maps and memory', async t => {
  for (const [header, values] of headers) {
    const text = `\n${header}\nvda ${values}\ndm-0 ${values}\nloop3 ${values}\nnvme0n1 ${values}\n\n`.repeat(2)
    t.same(parseIostat(text)[1]?.values, { reads: 40, readKiB: 800, writtenKiB: 16, readWaitMs: 100 })
    t.same(iostatTotals(text, stampsOf('iostat', text, parseIostat(text)), { fromMs: 0, toMs: 9000 }), { fromMs: 1000, toMs: 2000, reads: 40, readBytes: 800 * 1024, writtenBytes: 16 * 1024, readAwaitMs: 2.5 })
  }
})
