import t from 'tap'
import { numberAfter, numberAt, numbersAt, parseKeyed } from './keyed.js'

t.test('name and number, with and without a colon', async t => {
  t.same([...parseKeyed('usage_usec 243724000\nread_bytes: 4096\n\tdeep   7  \nlast 1')], [['usage_usec', 243724000], ['read_bytes', 4096], ['deep', 7], ['last', 1]])
})

t.test('what is no whole number is left out', async t => {
  for (const text of ['', '\n\n', 'name', 'name ', 'name max', 'VmRSS:\t 12 kB', 'load 1.5', 'below -3', ' 12', 'some avg10=0.00 total=5']) t.same([...parseKeyed(text)], [], JSON.stringify(text))
  t.same([...parseKeyed('bad 1x\nname\n8\ngood 2\n')], [['good', 2]], 'a number on the next line is not the value')
})

t.test('a number at a place and after a label', async t => {
  t.equal(numberAt('a  42kB', 1), 42)
  t.ok(Number.isNaN(numberAt('a', 5)))
  t.ok(Number.isNaN(numberAt('-1', 0)))
  t.equal(numberAfter('x\nVmRSS:\t    1684 kB\n', '\nVmRSS:'), 1684)
  t.equal(numberAfter('VmRSS: none', 'VmRSS:'), undefined)
  t.equal(numberAfter('', 'VmRSS:'), undefined)
  t.equal(numberAfter('a 1 a 2', 'a', 1), 2)
  t.same(numbersAt('x 1  22\t3\n4', 1, 3), [1, 22, 3])
  t.same(numbersAt('7 -1 8', 0, 4), [7, NaN, 8, NaN])
})
