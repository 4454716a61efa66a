import t from 'tap'
import { FanOut, type SeatEnd } from './fan-out.js'
import { RelayBody } from './relay-body.js'

/** A reader whose connection has room as long as the test says so. */
function client (fanOut: FanOut) {
  const ends: SeatEnd[] = []
  const got: string[] = []
  const seat = fanOut.join(how => { ends.push(how) })
  const reader = {
    ends,
    got,
    room: true,
    seat,
    text: () => got.join(''),
    drain: () => {
      reader.room = true
      seat.body.resumeRelay()
    },
    connect: () => seat.body.relayTo({
      write (chunk) { got.push(chunk.toString()); return reader.room },
      end () { got.push('|END') },
      cut (error) { got.push(`|CUT ${error.message}`) }
    })
  }
  return reader
}

function setUp (maxBytes = 1_000) {
  let resumed = 0
  let first = 0
  const source = new RelayBody(() => { resumed++ })
  const fanOut = new FanOut(source, { maxBytes, onFirstByte: () => { first++ } })
  fanOut.start()
  resumed = 0
  return { fanOut, send: (text: string) => source.deliver(Buffer.from(text)), source, resumed: () => resumed, first: () => first }
}

t.test('all get all, whenever they come, and what comes late comes at once', async t => {
  const { fanOut, send, source, first } = setUp()
  const readers = []
  for (const text of ['a', 'b', 'c', 'd']) {
    const reader = client(fanOut)
    reader.connect()
    readers.push(reader)
    send(text)
  }
  const last = client(fanOut)
  last.connect()
  t.equal(last.text(), 'abcd')
  source.finish()
  for (const reader of [...readers, last]) {
    t.equal(reader.text(), 'abcd|END')
    t.same(reader.ends, ['whole'])
  }
  const afterwards = client(fanOut)
  afterwards.connect()
  t.equal(afterwards.text(), 'abcd|END', 'even after the end')
  t.equal(first(), 1)
})

t.test('what breaks off does so for all', async t => {
  const { fanOut, send, source } = setUp()
  const readers = [client(fanOut), client(fanOut)]
  readers[0]?.connect()
  send('a')
  source.fail(new Error('gone'))
  readers[1]?.connect()
  for (const reader of readers) {
    t.equal(reader.text(), 'a|CUT gone')
    t.same(reader.ends, ['cut'])
  }
})

t.test('a slow one holds nobody back: upstream stops only when all are full, and goes on with the first that has room', async t => {
  const { fanOut, send, source, resumed } = setUp()
  const [fast, slow] = [client(fanOut), client(fanOut)]
  fast.connect()
  slow.connect()
  slow.room = false
  t.ok(send('a'))
  t.ok(send('b'))
  t.equal(fast.text(), 'ab')
  t.equal(slow.text(), 'a')
  fast.room = false
  t.notOk(send('c'))
  t.equal(resumed(), 0)
  slow.drain()
  t.equal(slow.text(), 'abc', 'it catches up')
  t.equal(resumed(), 1)
  t.ok(send('d'))
  t.equal(slow.text(), 'abcd')
  source.finish()
  t.equal(fast.text(), 'abc', 'who is behind at the end gets the rest when it has room')
  t.same(fast.ends, [])
  fast.drain()
  t.equal(fast.text(), 'abcd|END')
  t.same(fast.ends, ['whole'])
})

t.test('memory is bounded: who is too far behind is cut off, and nobody joins a body whose beginning is gone', async t => {
  const { fanOut, send, source } = setUp(10)
  const [fast, slow] = [client(fanOut), client(fanOut)]
  fast.connect()
  slow.connect()
  slow.room = false
  for (const text of ['12345', '67890']) send(text)
  t.equal(slow.text(), '12345')
  t.ok(fanOut.joinable)
  send('x')
  t.notOk(fanOut.joinable)
  t.same(slow.ends, [], 'it has had what was dropped')
  send('123456')
  t.same(slow.ends, ['too slow'])
  t.match(slow.text(), /^12345\|CUT .*more than 10 bytes behind/)
  send('y'.repeat(50))
  t.ok(fanOut.sentBytes <= 10 + 50)
  source.finish()
  t.equal(fast.text(), `1234567890x123456${'y'.repeat(50)}|END`)
})

t.test('alone, a slow one is waited for, as without sharing', async t => {
  const { fanOut, send, resumed, source } = setUp(10)
  const slow = client(fanOut)
  slow.connect()
  slow.room = false
  send('12345678')
  t.notOk(send('abcdefgh'))
  t.notOk(send('ABCDEFGH'))
  t.same(slow.ends, [])
  slow.drain()
  t.equal(resumed(), 1)
  source.finish()
  t.equal(slow.text(), '12345678abcdefghABCDEFGH|END')
})

t.test('the only one with room leaves; the only one that was full leaves', async t => {
  const { fanOut, send, source, resumed } = setUp()
  const [a, b] = [client(fanOut), client(fanOut)]
  a.connect()
  b.connect()
  b.room = false
  send('1')
  a.room = false
  t.notOk(send('2'))
  b.seat.leave()
  t.equal(resumed(), 0, 'nobody has room')
  a.seat.leave()
  t.equal(resumed(), 1, 'nobody is there who would have to have it')
  t.ok(send('3'))
  source.finish()
  t.same([...a.ends, ...b.ends], [])
  t.equal(a.text(), '12')
})
