import t from 'tap'
import { coversItsEffect } from './testing-coverage.js'

/** Minutes of arithmetic: 12 pairs are the most that are tried in all labellings here, 24, those of the overnight preset, are tried in random ones. */
for (const pairs of [12, 24]) t.test(`coverage with ${pairs} pairs is at least 93 %`, async t => coversItsEffect(t, pairs, 1000))
