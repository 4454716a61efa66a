import t from 'tap'
import { allowedCpus, cpusFor, parseCpuList, placeOn, readAffinity } from './placement.js'

t.test('CPU lists as the kernel writes them', async t => {
  t.strictSame(parseCpuList('0-2,5\n'), [0, 1, 2, 5])
  t.strictSame(parseCpuList('3'), [3])
  t.strictSame(parseCpuList(''), [])
})

t.test('llama-server gets CPUs of its own, everything else the first', async t => {
  t.match(placeOn([0, 1]), { serverCpus: [1], clientCpus: [0] })
  t.match(placeOn([2, 5, 6]), { serverCpus: [5, 6], clientCpus: [2] })
  t.equal(placeOn(Array.from({ length: 64 }, (_, i) => i)).serverCpus.length, 8)
  t.match(placeOn([4]), { serverCpus: [4], clientCpus: [4], note: /share/ })
})

t.test('more threads than CPUs of its own: the server gets the client\'s, too, and it is said', async t => {
  const two = placeOn([0, 1], 2)
  t.match(two.note, /with more than 1 compute thread llama-server may run on CPU 0, too/)
  t.strictSame(cpusFor(two, 1), [1])
  t.strictSame(cpusFor(two, 2), [0, 1])
  t.notMatch(placeOn([0, 1, 2], 2).note, /too/)
  t.strictSame(cpusFor(placeOn([0, 1, 2], 2), 2), [1, 2])
  t.strictSame(cpusFor(placeOn([4], 2), 2), [4])
})

t.test('the read-back of a process that is gone is no affinity', async t => {
  t.equal(readAffinity(2 ** 22 + 1), 'unknown')
  if (process.platform === 'linux') t.strictSame(parseCpuList(readAffinity(process.pid)), allowedCpus())
})
