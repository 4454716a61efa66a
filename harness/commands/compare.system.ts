import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import t from 'tap'
import type { BlockEvidence, CallSample, OpenLoopResult, Plan, Result } from '../types.js'
import { harness } from './testing.js'

const readJson = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T

/** Processes whose command line names this folder. */
function processesOf (folder: string): string[] {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name) && Number(name) !== process.pid).flatMap(pid => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      return line.includes(folder) ? line : []
    } catch { return [] }
  })
}

t.test('a whole comparison on the real llama-server', async t => {
  const folder = `${t.testdir()}/run`
  const { code, out, err } = await harness(['compare', '--policy', 'admission', '--preset', 'smoke', '--seed', '3', '--out', folder])
  t.equal(code, 0, err)
  t.ok(out.split('\n').every(line => line.length <= 80 || line.startsWith('Report: ')), 'nothing wider than 80 columns')
  t.match(err, /they carry no verdict/, 'what the preset cannot support is said beforehand')
  const result = readJson<Result>(`${folder}/result.json`)
  t.equal(result.complete, true)
  t.equal(result.planSha256, createHash('sha256').update(readFileSync(`${folder}/plan.json`)).digest('hex'))
  t.strictSame(result.blocks.map(block => block.condition), ['before', 'after', 'after', 'before'])
  t.equal(result.manifest.model.synthetic, true)
  t.match(readFileSync(`${folder}/report.html`, 'utf8'), /synthetic weights/)

  await t.test('both blocks of a pair offer the same calls at the same times', async t => {
    const offered = (name: string): Array<[number, number, string]> => {
      const { loadFromMs } = readJson<BlockEvidence>(`${folder}/blocks/${name}/block.json`)
      return readFileSync(`${folder}/blocks/${name}/calls.ndjson`, 'utf8').trim().split('\n').map(line => JSON.parse(line) as CallSample)
        .filter(call => call.phase === 'load').sort((a, b) => a.seq - b.seq).map(call => [call.seq, Math.round(call.intendedMs - loadFromMs), call.cls])
    }
    t.ok(offered('01-before').length > 10)
    t.strictSame(offered('02-after'), offered('01-before'))
  })

  await t.test('report gives the same result again; an altered raw line gives another', async t => {
    const before = readFileSync(`${folder}/result.json`, 'utf8')
    t.equal((await harness(['report', folder])).code, 0)
    t.equal(readFileSync(`${folder}/result.json`, 'utf8'), before)
    const file = `${folder}/blocks/02-after/calls.ndjson`
    const lines = readFileSync(file, 'utf8').trim().split('\n')
    const { judgedFromMs } = readJson<BlockEvidence>(`${folder}/blocks/02-after/block.json`)
    const at = lines.findIndex(line => {
      const call = JSON.parse(line) as CallSample
      return call.phase === 'load' && call.outcome === 'answered' && call.intendedMs >= judgedFromMs
    })
    lines[at] = JSON.stringify({ ...JSON.parse(lines[at] ?? '') as CallSample, outcome: 'failed', reason: 'altered' })
    writeFileSync(file, lines.join('\n') + '\n')
    await harness(['report', folder])
    const good = (text: string): number | undefined => (JSON.parse(text) as OpenLoopResult).blocks[1]?.goodPerSecond
    t.not(good(readFileSync(`${folder}/result.json`, 'utf8')), good(before))
  })
})

t.test('Ctrl-C keeps what is finished and stops what was started', async t => {
  const folder = `${t.testdir()}/run`
  const { code, out } = await harness(['compare', '--policy', 'admission', '--preset', 'smoke', '--out', folder], (line, kill) => {
    if (/block 2 of 4.*load/.test(line)) kill('SIGINT')
  })
  t.equal(code, 130)
  const result = readJson<Result>(`${folder}/result.json`)
  t.equal(result.complete, false)
  t.equal(result.blocks.length, 1)
  t.match(out, /Report: .*report\.html/)
  t.notOk(existsSync(`${folder}/blocks/02-after`), 'the block under way is gone')
  t.equal(readJson<Plan>(`${folder}/plan.json`).blocks.length, 4)
  t.strictSame(processesOf(folder), [])
})
