import t from 'tap'
import { PrefixCheck } from './prefix-check.js'

function checked (pairs: ReadonlyArray<readonly [predicted: number, found: number]>): string[] {
  const said: string[] = []
  const check = new PrefixCheck(why => said.push(why))
  for (const [predicted, found] of pairs) check.add(predicted, found)
  t.equal(check.failed, said.length > 0)
  return said
}

const times = (n: number, predicted: number, found: number) => Array.from({ length: n }, (): [number, number] => [predicted, found])

t.test('fails once when llama-server does not find what was predicted, and says the numbers', async t => {
  t.same(checked(times(20, 100, 10)), ['of the last 718 prompt tokens that the slots should have had, llama-server found 72'])
})

t.test('does not fail', async t => {
  t.same(checked(times(100, 100, 60)), [], 'where most is found')
  t.same(checked(times(7, 100, 0)), [], 'on few calls')
  t.same(checked(times(100, 5, 0)), [], 'on few tokens')
  t.same(checked(times(100, 0, 500)), [], 'where nothing was predicted')
  t.same(checked([...times(20, 100, 100), ...times(5, 100, 0)]), [], 'of a few misses')
})

t.test('what is found beyond a prediction makes up for nothing', async t => {
  t.equal(checked(Array.from({ length: 20 }, (_, call): [number, number] => call % 4 === 0 ? [100, 900] : [100, 0])).length, 1)
})
