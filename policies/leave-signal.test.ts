import t from 'tap'
import { LeaveSignal } from './leave-signal.js'

t.test('listeners are told once, in their order, and those that were taken off are not', async t => {
  const signal = new LeaveSignal()
  const told: string[] = []
  const [first, second, gone] = ['first', 'second', 'gone'].map(name => () => { told.push(name) })
  for (const listener of [first, first, second, gone]) signal.addEventListener('abort', listener!)
  signal.removeEventListener('abort', gone!)
  signal.removeEventListener('abort', () => {})
  signal.throwIfAborted()
  t.equal(signal.aborted, false)
  signal.abort()
  signal.abort()
  t.same(told, ['first', 'second'])
  t.equal(signal.aborted, true)
  t.throws(() => { signal.throwIfAborted() }, { name: 'AbortError', message: 'the client left' })
})

t.test('a listener that takes another one off while it is told', async t => {
  const signal = new LeaveSignal()
  const told: string[] = []
  const second = (): void => { told.push('second') }
  signal.addEventListener('abort', () => { signal.removeEventListener('abort', second) })
  signal.addEventListener('abort', second)
  signal.abort()
  t.same(told, ['second'], 'it was told already: as many as listened at that moment')
})
