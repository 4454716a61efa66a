import t from 'tap'
import { columns, cut, painter, sanitise, wrap } from './text.js'

t.test('what a terminal could obey is taken out', async (t) => {
  t.equal(sanitise('a\u001b[31mb\u202ec\r\nd'), 'a\uFFFD[31mb\uFFFDc d')
})

t.test('wide characters take two columns, combining marks none', async (t) => {
  t.equal(columns('ab'), 2)
  t.equal(columns('模型'), 4)
  t.equal(columns('e\u0301'), 1)
})

t.test('wrapping keeps to the width, indents, and breaks words that are too long', async (t) => {
  const lines = wrap(`one two three ${'x'.repeat(50)} 模型模型模型模型模型模型模型模型`, 20, '> ')
  t.ok(lines.every((line) => columns(line) <= 20))
  t.equal(lines[0], '> one two three')
  t.ok(lines.slice(1).every((line) => line.startsWith('  ')))
  t.equal(lines.join('').replaceAll(' ', '').replace('>', ''), `onetwothree${'x'.repeat(50)}模型模型模型模型模型模型模型模型`)
})

t.test('no-break spaces hold together and come out as spaces', async (t) => {
  t.same(wrap('aaaa 95\u00a0%', 8), ['aaaa', '95 %'])
})

t.test('cutting says that something was lost', async (t) => {
  t.equal(cut('abcdef', 4), 'abc…')
  t.equal(cut('abcd', 4), 'abcd')
})

t.test('no colour, no escape', async (t) => {
  t.equal(painter(false)('red', 'x'), 'x')
  t.equal(painter(true)('red', 'x'), '\u001b[31mx\u001b[0m')
})
