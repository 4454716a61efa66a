import t from 'tap'
import { shapeDifferences } from './testing-shape.js'

t.test('keys and types count, values do not', async t => {
  t.strictSame(shapeDifferences({ a: 1, b: ['x', { c: null }] }, { a: 2, b: ['y', { c: null }, 3] }), [])
  t.strictSame(shapeDifferences({ a: { b: 1 }, c: 1, d: [{ e: 1 }], f: null }, { a: { b: '1' }, d: [{ e: 1, g: 1 }], f: 1 }),
    ['a.b: real number, fake string', 'c: only real', 'd[].g: only fake', 'f: real null, fake number'])
  t.strictSame(shapeDifferences([], {}), ['(whole): real array, fake object'])
})

t.test('an allowance covers its field and what is below', async t => {
  const because = 'a test'
  t.strictSame(shapeDifferences({ a: { b: 1, c: 1 }, ab: 1 }, { a: {} }, [{ path: 'a', because }]), ['ab: only real'])
  t.strictSame(shapeDifferences({ a: { b: { x: 1 }, c: 1 } }, { a: { b: {} } }, [{ path: 'a.b', because }]), ['a.c: only real'])
})
