import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { extract } from 'tar'
import { packageRoot } from '../package-root.js'
import { harness } from './testing.js'

t.test('stored runs: alike, unlike, unlike all the same, none', async t => {
  const folder = t.testdir({ a: {}, b: {}, c: {} })
  for (const [into, name] of [['a', 'pinning'], ['b', 'pinning'], ['c', 'cpu-weight']] as const) await extract({ file: `${packageRoot()}/bench/measured/${name}.tar.gz`, cwd: `${folder}/${into}`, strip: 1 })
  const manifest = JSON.parse(readFileSync(`${folder}/b/manifest.json`, 'utf8')) as object
  writeFileSync(`${folder}/b/manifest.json`, JSON.stringify({ ...manifest, gitCommit: 'abcdef123456' }))

  const alike = await harness(['diff', `${folder}/a`, `${folder}/b`])
  t.equal(alike.code, 0, alike.err)
  t.match(alike.out, /May differ:\n {2}manifest\.gitCommit\n {4}A {2}not recorded\n {4}B {2}abcdef123456/)
  t.match(alike.out, /after ÷ before .*: ×1\.00 \(0\.9\d+–1\.0\d+\) same/)
  t.notMatch(alike.out, /higher$|lower$/m)
  t.ok(alike.out.split('\n').every(line => line.length <= 80), 'nothing wider than 80 columns')

  const unlike = await harness(['diff', `${folder}/a`, `${folder}/c`])
  t.equal(unlike.code, 2)
  t.equal(unlike.out, '')
  t.match(unlike.err, /are not alike; these \d keys differ:[\s\S]*plan\.conditions\.after[\s\S]*cpu-weight[\s\S]*--anyway/)

  const anyway = await harness(['diff', `${folder}/a`, `${folder}/c`, '--anyway'])
  t.equal(anyway.code, 0)
  t.match(anyway.out, /THESE RUNS ARE NOT ALIKE/)
  const json = JSON.parse((await harness(['diff', `${folder}/a`, `${folder}/c`, '--anyway', '--json'])).out) as { alike: boolean, matter: unknown[], figures: unknown[] }
  t.equal(json.alike, false)
  t.ok(json.matter.length > 0 && json.figures.length > 0)

  t.test('figures are made of the raw files', async t => {
    cpSync(`${folder}/a`, `${folder}/altered`, { recursive: true })
    const file = `${folder}/altered/blocks/01-before/calls.ndjson`
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"itlMs":\[/, '"itlMs":[5000,'))
    t.not((await harness(['diff', `${folder}/a`, `${folder}/altered`])).out, (await harness(['diff', `${folder}/a`, `${folder}/a`])).out)
  })

  const none = await harness(['diff', `${folder}/a`, `${folder}/none`])
  t.equal(none.code, 2)
  t.match(none.err, /none is not a run folder: it has no plan\.json/)
})
