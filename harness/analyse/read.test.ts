import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import type { Evidence } from '../types.js'
import { analyse } from './analyse.js'
import { readEvidence } from './read.js'
import { simulate } from './testing.js'

const lines = (items: readonly unknown[]): string => items.map(item => JSON.stringify(item) + '\n').join('')

function folder (of: Evidence['blocks'][number]): string {
  return `${String(of.evidence.plan.index).padStart(2, '0')}-${of.evidence.plan.condition}`
}

async function write (dir: string, evidence: Evidence): Promise<void> {
  await writeFile(join(dir, 'plan.json'), JSON.stringify(evidence.plan))
  await writeFile(join(dir, 'manifest.json'), JSON.stringify(evidence.manifest))
  for (const block of evidence.blocks) {
    const at = join(dir, 'blocks', folder(block))
    await mkdir(at, { recursive: true })
    await writeFile(join(at, 'block.json'), JSON.stringify(block.evidence))
    await writeFile(join(at, 'calls.ndjson'), lines(block.calls))
    await writeFile(join(at, 'samples.ndjson'), lines(block.samples))
    await writeFile(join(at, 'gateway.ndjson'), lines([{ msg: 'listening' }, ...block.records]))
  }
}

const evidence = simulate({ pairs: 2, windowSeconds: 5 })

t.test('what was written is what is read, and gives the same Result', async t => {
  const dir = t.testdir()
  await write(dir, evidence)
  const read = await readEvidence(dir)
  const hash = createHash('sha256').update(await readFile(join(dir, 'plan.json'))).digest('hex')
  t.same(read, { ...evidence, planSha256: hash })
  t.same(analyse(read), { ...analyse(evidence), planSha256: hash })
})

t.test('a missing last block and a cut last line are tolerated and said', async t => {
  const dir = t.testdir()
  await write(dir, evidence)
  await rm(join(dir, 'blocks', '04-before', 'block.json'))
  await appendFile(join(dir, 'blocks', '02-after', 'calls.ndjson'), '{"phase":"lo')
  await rm(join(dir, 'blocks', '03-after', 'gateway.ndjson'))
  const read = await readEvidence(dir)
  t.equal(read.blocks.length, 3)
  t.equal(read.blocks[1]?.calls.length, evidence.blocks[1]?.calls.length)
  const result = analyse(read)
  t.equal(result.complete, false)
  t.ok(result.warnings.some(warning => /^block 2 \(after\): calls\.ndjson:\d+: the last line was cut/.test(warning)))
  t.ok(result.warnings.includes('block 3 (after): gateway.ndjson is missing'))
})

t.test('a last line that only lacks its newline counts', async t => {
  const dir = t.testdir()
  await write(dir, evidence)
  const file = join(dir, 'blocks', '01-before', 'calls.ndjson')
  await writeFile(file, (await readFile(file, 'utf8')).trimEnd())
  t.same((await readEvidence(dir)).blocks[0], evidence.blocks[0])
})

t.test('errors name file and line', async t => {
  const dir = t.testdir()
  await t.rejects(readEvidence(join(dir, 'nowhere')), /nowhere\/plan\.json is missing; .*give the folder/)
  await write(dir, evidence)
  const file = join(dir, 'blocks', '01-before', 'calls.ndjson')
  const good = await readFile(file, 'utf8')
  await writeFile(file, good.replace('\n', '\nnot json\n'))
  await t.rejects(readEvidence(dir), /01-before\/calls\.ndjson:2: not JSON/)
  await writeFile(file, good.replace('"intendedMs":', '"intended":'))
  await t.rejects(readEvidence(dir), /01-before\/calls\.ndjson:1: .*intendedMs/)
  await writeFile(file, good)
  await rm(join(dir, 'manifest.json'))
  await t.rejects(readEvidence(dir), /manifest\.json is missing/)
})
