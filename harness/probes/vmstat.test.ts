import t from 'tap'
import { parseVmstat, watchVmstat } from './vmstat.js'

const text = 'nr_free_pages 5894400\npswpin 3\npswpout 4\npgfault 100\npgmajfault 7\nworkingset_refault_anon 1\nworkingset_refault_file 47055\nthp_swpout 9\n'

t.test('swap, major faults and refaults of files', async t => {
  t.same(parseVmstat(text), { swapInPages: 3, swapOutPages: 4, majorFaults: 7, refaultFilePages: 47055 })
})

t.test('a kernel without swap, and one that counts refaults of files and memory as one', async t => {
  t.same(parseVmstat('nr_free_pages 1\npgmajfault 7\nworkingset_refault 9\n'), { swapInPages: 0, swapOutPages: 0, majorFaults: 7 })
  t.equal(parseVmstat(''), undefined)
})

t.test('this machine', { skip: process.platform !== 'linux' && 'Linux only' }, async t => {
  t.ok((watchVmstat()()?.majorFaults ?? -1) >= 0)
})
