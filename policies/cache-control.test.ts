import t from 'tap'
import { freshnessOf } from './cache-control.js'

t.test('what a caller says', async t => {
  const cases: ReadonlyArray<readonly [header: string | undefined, fresh: boolean, noStore: boolean, maxAgeMs: number]> = [
    [undefined, false, false, Infinity],
    ['no-cache', true, false, Infinity],
    ['No-Store', true, true, Infinity],
    ['max-age=0', true, false, 0],
    ['max-age=60, must-revalidate', false, false, 60_000],
    ['no-transform, max-age="5"', false, false, 5_000],
    ['max-age=soon, no-cachet', false, false, Infinity]
  ]
  for (const [header, fresh, noStore, maxAgeMs] of cases) t.same(freshnessOf(header), { fresh, noStore, maxAgeMs }, String(header))
})
