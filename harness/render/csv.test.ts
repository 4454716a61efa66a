import t from 'tap'
import { blocksCsv, callsCsv, cellsCsv, toCsv } from './csv.js'
import { fakeRun } from './testing.js'

/** A strict reader of RFC 4180, so that the test does not believe the writer. */
function parse (text: string): string[][] {
  const lines: string[][] = []
  let line: string[] = []
  for (let at = 0; at < text.length;) {
    let field = ''
    if (text[at] === '"') {
      for (at += 1; ; at += 1) {
        if (text[at] === '"' && text[at + 1] === '"') at += 1
        else if (text[at] === '"') break
        field += text[at]
      }
      at += 1
    } else {
      while (text[at] !== ',' && text[at] !== '\r') field += text[at++]
    }
    line.push(field)
    if (text[at] === ',') {
      at += 1
      continue
    }
    if (text.slice(at, at + 2) !== '\r\n') throw new Error(`no line end at ${at}`)
    at += 2
    lines.push(line)
    line = []
  }
  return lines
}

const { evidence, result } = fakeRun(2)

t.test('quotes, commas and line ends survive', async (t) => {
  const fields = ['plain', 'a,b', 'say "x"', 'two\r\nlines', '', ' edge ']
  t.same(parse(toCsv(['h'], [fields])), [['h'], fields])
  t.equal(toCsv(['a', 'b'], [[null, undefined], [1.5, true]]), 'a,b\r\n,\r\n1.5,true\r\n')
})

t.test('cells: one line each, not rounded, empty where there is none', async (t) => {
  const [header = [], ...lines] = parse(cellsCsv(result))
  t.equal(lines.length, result.cells.length)
  result.cells.forEach((cell, index) => {
    const line = lines[index] ?? []
    t.equal(line.length, header.length)
    t.equal(line[header.indexOf('p50')], cell.p50 === null ? '' : String(cell.p50))
    t.equal(line[header.indexOf('p95_censored_above')], String(cell.censoredAbove?.p95 ?? ''))
  })
})

t.test('blocks: one line each', async (t) => {
  const [header = [], ...lines] = parse(blocksCsv(result))
  t.same(lines.map((line) => [line[header.indexOf('block')], line[header.indexOf('good_per_s')]]), result.blocks.map((block) => [String(block.index), String(block.goodPerSecond)]))
})

t.test('calls: all phases, the judged ones marked, in block order', async (t) => {
  const shuffled = { ...evidence, blocks: [...evidence.blocks].reverse() }
  const [header = [], ...lines] = parse(callsCsv(shuffled))
  t.equal(lines.length, evidence.blocks.reduce((sum, block) => sum + block.calls.length, 0))
  t.ok(lines.every((line) => line.length === header.length))
  const judged = lines.filter((line) => line[header.indexOf('judged')] === 'true')
  t.equal(judged.length, result.counts.reduce((sum, count) => sum + count.n, 0))
  t.same([...new Set(lines.map((line) => line[0]))], ['1', '2', '3', '4'])
  const call = evidence.blocks[0]?.calls.find((each) => each.phase === 'load')
  const line = lines.find((each) => each[header.indexOf('phase')] === 'load') ?? []
  t.equal(Number(line[header.indexOf('ttft_ms')]).toFixed(2), ((call?.firstMs ?? 0) - (call?.intendedMs ?? 0)).toFixed(2))
})
