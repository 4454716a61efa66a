import t from 'tap'
import { jsonTrouble } from './json-trouble.js'

t.test('the place of what cannot stand there, and what it is', async t => {
  for (const [text, place] of [
    ['{ "a": 1,\n  "b": tru }', /^line 2, column 11: " " cannot stand here/],
    ['{"a": 1,}', /^line 1, column 9: "}" cannot stand here/],
    ['[1 2]', /^line 1, column 4: "2" cannot stand here/],
    ['{} x', /^line 1, column 4: "x" cannot stand here/],
    ['{\'a\': 1}', /^line 1, column 2: "'" cannot stand here/],
    ['x', /^line 1, column 1: "x" cannot stand here/]
  ] as const) t.match(jsonTrouble(text), place, text)
})

t.test('a text that ends in the middle', async t => {
  for (const text of ['', '{', '{ "a": "b', '[1,\n', '{"a": tr']) t.match(jsonTrouble(text), /the file ends here in the middle; it must be JSON$/, JSON.stringify(text))
})
