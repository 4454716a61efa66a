import t from 'tap'
import { formatBytes, formatCount, formatInterval, formatNumber, formatP, formatPercent, formatRatio, formatRatioInterval, formatSeconds } from './format.js'

t.test('three significant digits, thousands separated', async (t) => {
  const cases: [number, string][] = [
    [0, '0'], [0.45, '0.45'], [4.1, '4.1'], [4.104, '4.1'], [312, '312'], [999.4, '999'], [999.6, '1,000'], [1500, '1,500'], [123456, '123,456'],
    [12_345_678, '1.2e7'], [1e300, '1e300'], [0.0123, '0.0123'], [0.00001, '1e-5'], [-2.5, '-2.5'], [-1500, '-1,500'], [Infinity, '∞'], [100, '100'], [120, '120']
  ]
  for (const [value, text] of cases) t.equal(formatNumber(value), text)
})

t.test('what is not there is a dash and never 0', async (t) => {
  for (const nothing of [null, undefined, NaN]) t.equal(formatNumber(nothing), '–')
  t.equal(formatInterval(null), '–')
  t.equal(formatRatio(null), '–')
  t.equal(formatP(null), '–')
  t.equal(formatPercent(null), '–')
})

t.test('counts are whole', async (t) => {
  t.equal(formatCount(1234567), '1,234,567')
  t.equal(formatCount(0), '0')
})

t.test('ratios keep their zeros, p has a lower end', async (t) => {
  t.equal(formatRatio(1), '×1.00')
  t.equal(formatRatio(12_345), '×12,345')
  t.equal(formatRatioInterval([0.985, 1.021]), '0.985–1.02')
  t.equal(formatP(0.0078125), '0.0078')
  t.equal(formatP(0.00001).replace('\u00a0', ' '), '< 0.001')
  t.equal(formatP(1), '1')
})

t.test('bytes and durations carry their unit', async (t) => {
  const plain = (text: string): string => text.replaceAll('\u00a0', ' ')
  t.equal(plain(formatBytes(8 * 1024 ** 3)), '8 GiB')
  t.equal(plain(formatBytes(512)), '512 B')
  t.equal(plain(formatSeconds(8.2)), '8 s')
  t.equal(plain(formatSeconds(245)), '4 min 05 s')
  t.equal(plain(formatSeconds(3725)), '1 h 02 min')
  t.equal(plain(formatSeconds(-3)), '0 s')
})
