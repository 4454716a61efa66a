import t from 'tap'
import { parseDiskstats, wholeDisks } from './diskstats.js'
import { parsePressure } from './pressure.js'
import { parseProcStatHost } from './proc-stat.js'

t.test('pressure: totals, and full only where it is', async t => {
  t.same(parsePressure('some avg10=35.70 avg60=19.05 avg300=4.90 total=32456000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n'), { someUsec: 32456000, fullUsec: 0 })
  t.same(parsePressure('some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n'), { someUsec: 7 })
  t.same(parsePressure(''), {})
})

t.test('/proc/stat: the whole machine, not the first cpu', async t => {
  const text = 'cpu  8751 1 7255 1220607 180 2 288 50 900 3\ncpu0 3341 0 3265 611546 19 0 155 0 0 0\nintr 441167 0 0\nctxt 915812\nbtime 1795496661\nprocesses 5885\n'
  t.same(parseProcStatHost(text), { stealUsec: 500_000, idleUsec: 12_207_870_000, busyUsec: 162_970_000, contextSwitches: 915812 })
})

t.test('/proc/stat of an old kernel has no steal', async t => {
  t.match(parseProcStatHost('cpu  10 0 5 100\nctxt 3\n'), { stealUsec: 0, busyUsec: 150_000 })
  t.equal(parseProcStatHost(''), undefined)
})

const diskstats = `   7       0 loop0 5 0 100 0 0 0 0 0 0 0 0 0 0 0 0 0 0
 254       0 vda 10060 6063 1501090 5644 2790 48097 1346808 4484 0 3108 10510 3224 20 57832 380 4 1
 254       1 vda1 10000 6063 1501000 5644 2790 48097 1346808 4484 0 3100 10510 3224 20 57832 380 4 1
 259       0 nvme0n1 10 0 80 5 2 0 16 4 0 30 10
 253       0 zram0 1 0 8 0 0 0 0 0 0 9 0 0 0 0 0 0 0
 252       0 dm-0 1 0 8 0 0 0 0 0 0 9 0 0 0 0 0 0 0
   9       0 md127 1 0 8 0 0 0 0 0 0 9 0 0 0 0 0 0 0
`

t.test('diskstats: each byte of the disks that are named, once', async t => {
  t.same(parseDiskstats(diskstats, ['vda', 'nvme0n1', 'sdz']), { readBytes: (1501090 + 80) * 512, writtenBytes: (1346808 + 16) * 512, ioMs: 3138, reads: 10070, readMs: 5649 })
  t.equal(parseDiskstats(diskstats, ['vd', 'da']), undefined, 'a part of a name is none')
  t.equal(parseDiskstats('', ['vda']), undefined)
})

t.test('disks are what has a folder and is no memory, map or sum of others', async t => {
  const folder = t.testdir({ vda: {}, nvme0n1: {}, loop0: {}, ram1: {}, zram0: {}, 'dm-0': {}, md127: {}, sr0: {}, fd0: {}, 'cciss!c0d0': {} })
  t.same(wholeDisks(folder).sort(), ['cciss/c0d0', 'nvme0n1', 'vda'])
  t.same(wholeDisks('/nowhere'), [])
})
